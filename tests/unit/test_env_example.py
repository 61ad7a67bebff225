"""`.env.example` names every variable that the code reads, and none that nobody reads."""

import re
from itertools import product
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("loadlab", "runs", "workers")
# Spoken between our own processes, or not read before targets exist
INTERNAL = {"LOADLAB_POLL_PHASE"}
ANNOUNCED = {"LOADLAB_TARGETS"}
QUEUE_VARIABLES = {
    f"LOADLAB_QUEUE_{queue}_{setting}"
    for queue, setting in product(
        ("LOAD_TEST", "SYSTEM", "MEDIA"),
        ("MAX_JOBS", "JOB_TIMEOUT", "POLL_DELAY", "QUEUE_READ_LIMIT", "KEEP_RESULT"),
    )
}


def test_the_example_names_what_the_code_reads() -> None:
    example = (CHECKOUT / ".env.example").read_text()
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    source = "\n".join(
        path.read_text() for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")
    )
    ours = set(re.findall(r"LOADLAB_[A-Z0-9_]*[A-Z0-9]\b", source))
    others = set(re.findall(r"""\benv(?:\.\w+)?(?:\(|, )\s*["']([A-Z][A-Z0-9_]+)["']""", source))
    for started_by in ("Procfile", "docker-compose.yml"):
        others |= set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", (CHECKOUT / started_by).read_text()))
    assert (ours | others | {"REDIS_URL"} | QUEUE_VARIABLES) - INTERNAL == named - ANNOUNCED
