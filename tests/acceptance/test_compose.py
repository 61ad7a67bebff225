"""What docker-compose.yml and Dockerfile promise; no daemon of Docker's is asked."""

import re

import pytest
import yaml
from composing import CHECKOUT, FILE, LASTING, OURS, SECRETS, SERVERS, SERVICES, composed

from workers.queues.serving import JOB_COMPLETION_WAIT_S

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()


def seconds(duration: str) -> int:
    found = re.fullmatch(r"(\d+)s", duration)
    assert found is not None
    return int(found[1])


def test_every_process_is_a_service() -> None:
    assert set(SERVICES) == OURS | SERVERS


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_no_secret_is_in_the_file_and_a_missing_one_is_asked_for(missing: str) -> None:
    with pytest.raises(KeyError, match=rf"{missing}: .*in \.env"):
        composed(**{name: value for name, value in SECRETS.items() if name != missing})
    text = FILE.read_text()
    for line in text.splitlines():
        if re.search("PASSWORD|SECRET|TOKEN", line.partition("#")[0]):
            assert re.search(r"\$\{(POSTGRES_PASSWORD|SECRET_KEY):\?", line), line


def test_migrations_run_once_before_anything_of_ours() -> None:
    migrate = SERVICES["migrate"]
    assert migrate["restart"] == "no"
    assert migrate["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in LASTING:
        depends_on = SERVICES[name]["depends_on"]
        assert depends_on["migrate"]["condition"] == "service_completed_successfully"
        assert depends_on["redis"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_what_lasts_is_restarted_and_has_a_health_check(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert seconds(check["timeout"]) < seconds(check["interval"]) or name in SERVERS


@pytest.mark.parametrize("name", [name for name in LASTING if name.startswith("worker")])
def test_workers_can_be_scaled_and_have_the_time_to_put_their_tasks_back(name: str) -> None:
    service = SERVICES[name]
    assert service.keys().isdisjoint({"container_name", "ports", "hostname"})
    assert seconds(service["stop_grace_period"]) >= 2 * JOB_COMPLETION_WAIT_S


def test_data_outlives_its_container_and_servers_are_not_published() -> None:
    declared = yaml.safe_load(FILE.read_text())["volumes"]
    for name in SERVERS:
        (volume,) = SERVICES[name]["volumes"]
        assert volume.partition(":")[0] in declared
        assert "ports" not in SERVICES[name]
    # version 18 of the image keeps its data in a folder named for the version, below this one
    assert SERVICES["postgres"]["image"].startswith("postgres:18")
    assert SERVICES["postgres"]["volumes"] == ["postgres-data:/var/lib/postgresql"]
    assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
    assert composed(**SECRETS, PORT="8123")["web"]["ports"] == ["127.0.0.1:8123:8000"]


def test_a_queue_that_evicts_would_lose_tasks() -> None:
    command = SERVICES["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_our_containers_have_no_privileges() -> None:
    for name in OURS:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
        assert SERVICES[name]["init"] is True
    last_stage = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER loadlab$", last_stage, re.MULTILINE)
    assert "COPY --from=build" in last_stage


def test_all_that_the_image_copies_is_there_and_sent_to_the_builder() -> None:
    sources = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    allowed = [
        line.removeprefix("!")
        for line in (CHECKOUT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert sorted(sources) == sorted(allowed)
    for source in sources:
        assert (CHECKOUT / source).exists(), source
