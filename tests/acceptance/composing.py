"""docker-compose.yml as compose reads it: its variables filled in, its services by name."""

import re
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
FILE = CHECKOUT / "docker-compose.yml"
OURS = {
    *("migrate", "web", "dispatcher", "collector"),
    *("worker-load-test", "worker-system", "worker-media"),
}
SERVERS = {"postgres", "redis"}
LASTING = sorted(OURS - {"migrate"})
SECRETS = {"POSTGRES_PASSWORD": "only4this", "SECRET_KEY": "a-key-of-the-tests-" + "0123456789" * 4}
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")

Service = dict[str, Any]


def composed(**variables: str) -> dict[str, Service]:
    """The services; KeyError, with the file's own words, where a variable must be given."""

    def value(found: re.Match[str]) -> str:
        given = variables.get(found["name"], "")
        if not given and found["kind"] == "?":
            raise KeyError(f"{found['name']}: {found['rest']}")
        return given or (found["rest"] if found["kind"] == "-" else "")

    services: dict[str, Service] = yaml.safe_load(_VARIABLE.sub(value, FILE.read_text()))[
        "services"
    ]
    return services


SERVICES = composed(**SECRETS)
