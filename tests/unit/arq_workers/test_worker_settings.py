"""Queue settings and the address of Redis come from the environment, or are refused by name."""

import importlib
import pickle
import subprocess
import sys

import pytest
from arq.connections import RedisSettings

from workers import ids, settings
from workers.errors import InvalidSetting, UnknownQueue
from workers.fleet import decode_report
from workers.ids import sequence_of, task_id, worker_id


@pytest.mark.parametrize(
    ("queue", "max_jobs", "job_timeout_s"),
    [("load_test", 30, 600), ("system", 15, 300), ("media", 10, 600)],
)
def test_the_three_queues_have_their_defaults(
    queue: str, max_jobs: int, job_timeout_s: float
) -> None:
    found = settings.queue_settings(queue)
    assert (found.max_jobs, found.job_timeout_s) == (max_jobs, job_timeout_s)
    assert (found.poll_delay_s, found.queue_read_limit, found.keep_result_s) == (0.5, None, 3600)
    assert settings.queue_key(queue) == f"arq:queue:{queue}"


def test_arqs_own_read_limit_is_known() -> None:
    assert settings.queue_settings("load_test").ids_per_poll == 150
    assert settings.queue_settings("media").ids_per_poll == 100


def test_the_environment_overrides_each(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "MAX_JOBS": "7",
        "JOB_TIMEOUT": "2m",
        "POLL_DELAY": "50ms",
        "QUEUE_READ_LIMIT": "500",
        "KEEP_RESULT": "90",
    }.items():
        monkeypatch.setenv(f"LOADLAB_QUEUE_MEDIA_{name}", text)
    assert settings.queue_settings("media") == settings.QueueSettings(
        name="media",
        max_jobs=7,
        job_timeout_s=120,
        poll_delay_s=0.05,
        queue_read_limit=500,
        keep_result_s=90,
    )
    assert settings.queue_settings("system").max_jobs == 15


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MAX_JOBS", "0"),
        ("MAX_JOBS", "many"),
        ("MAX_JOBS", "3.5"),
        ("POLL_DELAY", "-1"),
        ("POLL_DELAY", "nan"),
        ("POLL_DELAY", "1 fortnight"),
        ("KEEP_RESULT", "0"),
        ("QUEUE_READ_LIMIT", "-5"),
        ("JOB_TIMEOUT", "1e9"),
    ],
)
def test_a_wrong_value_is_refused_with_variable_value_and_range(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    variable = f"LOADLAB_QUEUE_LOAD_TEST_{name}"
    monkeypatch.setenv(variable, text)
    with pytest.raises(InvalidSetting) as refusal:
        settings.queue_settings("load_test")
    sentence = str(refusal.value)
    assert variable in sentence
    assert repr(text) in sentence
    assert "is allowed." in sentence


def test_an_unknown_queue_is_refused() -> None:
    with pytest.raises(UnknownQueue, match="load_test, system, media"):
        settings.queue_settings("production")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://ana:s3cret@redis.example:6380/2", "redis.example:6380/2"),
        ("redis://:s3cret@redis.example", "redis.example:6379/0"),
        ("rediss://redis.example?db=3", "redis.example:6379/3"),
        ("unix:///run/with%20space.sock?db=1", "/run/with space.sock"),
    ],
)
def test_an_address_never_holds_a_password(
    monkeypatch: pytest.MonkeyPatch, url: str, address: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    assert settings.redis_address() == address
    assert settings.redis_url() == url


@pytest.mark.parametrize("url", ["http://x", "redis://", "unix://", "nonsense", "redis://x:port"])
def test_a_wrong_url_is_refused_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(InvalidSetting, match="REDIS_URL cannot be read"):
        settings.redis_settings()


def test_arq_gets_the_password_as_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://ana:p%40ss@redis.example:6380/2")
    found = settings.redis_settings()
    assert (found.host, found.port, found.database) == ("redis.example", 6380, 2)
    assert (found.username, found.password, found.ssl) == ("ana", "p@ss", True)
    assert OSError in (found.retry_on_error or [])


def test_embedded_settings_are_still_arqs_own() -> None:
    assert isinstance(settings.redis_settings(), RedisSettings)


@pytest.mark.parametrize("queue", settings.QUEUES)
def test_importing_a_queue_starts_nothing(queue: str) -> None:
    code = (
        f"import sys, workers.queues.{queue} as q; "
        "assert 'django' not in sys.modules, 'Django'; "
        "assert 'loadlab.embedded' not in sys.modules, 'embedded'; "
        "print(q.WorkerSettings.queue_name)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (f"arq:queue:{queue}", "")


@pytest.mark.parametrize("queue", settings.QUEUES)
def test_a_settings_class_inherits_nothing(queue: str) -> None:
    found = importlib.import_module(f"workers.queues.{queue}").WorkerSettings
    assert found.__bases__ == (object,)
    assert found.__dict__["job_serializer"] is not pickle.dumps
    names = {function.name for function in found.__dict__["functions"]}
    assert names >= {"cpu_intensive_task", "io_simulation_task", "memory_operations_task", "noop"}


def test_a_task_id_sorts_as_its_sequence() -> None:
    assert task_id("lt_x", 7) == "lt_x-0000007"
    assert sequence_of("lt_x-0000007") == 7
    assert ids.test_id_of("lt_x-0000007") == "lt_x"
    for foreign in ("", "x", "lt_x-7", "cron:health:1700000000", "lt_x-00000a7", "-0000007"):
        assert sequence_of(foreign) is None
        assert ids.test_id_of(foreign) is None


def test_a_process_keeps_its_worker_id() -> None:
    assert worker_id() == worker_id()


@pytest.mark.parametrize("raw", [None, b"", b"{", b"[]", b"{}", b'{"worker_id": 1}', b"x" * 70_000])
def test_a_report_that_cannot_be_believed_is_no_worker(raw: bytes | None) -> None:
    assert decode_report("w", description=raw, beat=raw) is None
