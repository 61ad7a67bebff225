"""The command line as people and pipelines use it: real processes, real servers, real signals."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from terminal import loadlab, on_a_terminal, started, until

from loadlab import embedded

TEST_ID = re.compile(r"lt_\d{8}T\d{6}_[0-9a-f]{6}")
QUICK = ("--type", "sleep", "--param", "duration_ms=5", "--batch", "20")
OWN_WORKER = ("--workers", "1")

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module", autouse=True)
def _tables() -> None:
    migrated = loadlab("migrate", "--verbosity", "0")
    assert migrated.returncode == 0, migrated.stderr


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    yield
    with psycopg.connect(embedded.postgres_url()) as connection:
        connection.execute("TRUNCATE runs_loadtestrun CASCADE")


@pytest.fixture
def valkey(redis_url: str) -> Iterator["redis.Redis[bytes]"]:
    with redis.Redis.from_url(redis_url) as client:
        yield client


def sql(query: str, *arguments: object) -> list[tuple[object, ...]]:
    with psycopg.connect(embedded.postgres_url()) as connection:
        return connection.execute(query, arguments).fetchall()


def runs_stored() -> int:
    return int(str(sql("SELECT count(*) FROM runs_loadtestrun")[0][0]))


def test_a_result_that_cannot_be_written_is_an_error_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        failed = loadlab("info", "--json", stdout=full)
    assert failed.returncode == 1
    assert failed.stderr == ("The result cannot be written to stdout: No space left on device.\n")


def test_at_a_rate_the_queue_keeps_up_and_the_wait_is_told() -> None:
    steady = ("--type", "noop", "--rate", "20/s", "--duration", "3s", "--arrival", "poisson")
    done = loadlab("run", *steady, *OWN_WORKER)
    assert done.returncode == 0, done.stderr
    assert "keeping up" in done.stdout
    assert "sojourn   p50" in done.stdout


def test_json_is_alone_on_stdout_and_agrees_with_the_rows() -> None:
    done = loadlab("load_test", "run", *QUICK, *OWN_WORKER, "--tasks", "60", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["status"] == "completed"
    rows = sql(
        "SELECT count(*), count(*) FILTER (WHERE state = 'completed') FROM runs_taskmetric t"
        " JOIN runs_loadtestrun r ON r.id = t.run_id WHERE r.test_id = %s",
        report["test_id"],
    )
    metrics = report["metrics"]
    assert rows == [(metrics["tasks_sent"], metrics["tasks_completed"])] == [(60, 60)]
    assert json.loads(loadlab("results", report["test_id"], "--json").stdout) == report


def test_the_report_for_people_fits_80_columns_and_names_the_run() -> None:
    done = loadlab("run", *QUICK, *OWN_WORKER, "--tasks", "40")
    assert done.returncode == 0, done.stderr
    assert "40 sent   40 ok   0 failed   0 lost" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    test_id = TEST_ID.findall(done.stdout)[-1]
    for arguments in (("results", test_id), ("results", test_id, "--detailed"), ("list",)):
        shown = loadlab(*arguments, COLUMNS="200")
        assert shown.returncode == 0, shown.stderr
        assert test_id in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 80


def test_a_terminal_sees_a_bar_and_a_pipe_does_not() -> None:
    code, seen = on_a_terminal("run", *QUICK, *OWN_WORKER, "--tasks", "60")
    assert code == 0, seen
    assert "of 60 done" in seen
    assert "\x1b[" in seen
    code, plain = on_a_terminal("list", NO_COLOR="1")
    assert code == 0
    assert not re.search(r"\x1b\[3[0-9]m", plain)


def test_ascii_is_written_where_stdout_takes_no_other(valkey: "redis.Redis[bytes]") -> None:
    done = loadlab("info", "cpu_intensive", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("run --type nope --tasks 0", "--type is 'nope': it must be one of"),
        ("run --taks 5", "did you mean --tasks"),
        ("results lt_nothing", "no load test 'lt_nothing'"),
    ],
)
def test_wrong_input_is_one_sentence_on_stderr_and_exit_2(arguments: str, says: str) -> None:
    refused = loadlab(*arguments.split())
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert says in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", ["list", "run --tasks 3", "run --tasks 3 --no-wait"])
def test_an_unreachable_database_is_named_without_its_password(arguments: str) -> None:
    failed = loadlab(*arguments.split(), DATABASE_URL="postgres://joe:s3cret@127.0.0.1:9/loads")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "PostgreSQL does not answer at 127.0.0.1:9/loads" in failed.stderr
    assert "DATABASE_URL" in failed.stderr
    assert "s3cret" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", ["run --tasks 3", "run --tasks 3 --no-wait"])
def test_an_unreachable_redis_is_named_without_its_password(arguments: str) -> None:
    before = runs_stored()
    failed = loadlab(*arguments.split(), REDIS_URL="redis://joe:s3cret@127.0.0.1:9/0")
    assert failed.returncode == 1
    assert failed.stdout == ""
    assert "127.0.0.1:9/0" in failed.stderr
    assert "REDIS_URL" in failed.stderr
    assert "s3cret" not in failed.stderr
    assert len(failed.stderr.splitlines()) == 1
    assert runs_stored() == before


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_run_and_leaves_nothing_of_it(
    signum: signal.Signals, valkey: "redis.Redis[bytes]"
) -> None:
    slow = ("--type", "sleep", "--param", "duration_ms=400", "--tasks", "500", "--batch", "500")
    with started("run", *slow, *OWN_WORKER, "--json") as process:
        until(lambda: bool(sql("SELECT 1 FROM runs_loadtestrun WHERE status='running'")))
        process.send_signal(signum)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    report = json.loads(out)
    assert report["status"] == "cancelled"
    metrics = report["metrics"]
    ended = ("tasks_completed", "tasks_failed", "tasks_lost", "tasks_cancelled")
    assert metrics["tasks_sent"] == sum(metrics[name] for name in ended) == 500
    assert "Traceback" not in err
    assert valkey.keys(f"*{report['test_id']}*") == []
    assert valkey.zcard("arq:queue:load_test") == 0


def test_without_a_worker_it_says_so_times_out_and_counts_the_tasks_as_lost(
    valkey: "redis.Redis[bytes]",
) -> None:
    done = loadlab("run", *QUICK, "--tasks", "5", "--timeout", "5s", "--json")
    assert done.returncode == 3, done.stderr
    assert "No worker answers on load_test" in done.stderr
    report = json.loads(done.stdout)
    assert (report["status"], report["metrics"]["tasks_lost"]) == ("timed_out", 5)
    assert valkey.keys(f"*{report['test_id']}*") == []


def test_every_task_failed_is_exit_1() -> None:
    failing = ("--type", "failure_testing", "--param", "failure_rate=1", "--param", "kinds=raise")
    done = loadlab("run", *failing[:4], *OWN_WORKER, "--tasks", "5", "--json")
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["metrics"]["tasks_failed"] == 5


def test_a_missed_threshold_is_exit_99_and_stands_first() -> None:
    rules = ("--threshold", "p95_execution_time_ms<1", "--threshold", "tasks_sent==20")
    done = loadlab("run", *QUICK, *OWN_WORKER, "--tasks", "20", *rules)
    assert done.returncode == 99, done.stderr
    header, missed, kept = done.stdout.splitlines()[:3]
    assert header.split() == ["threshold", "limit", "value"]
    assert missed.startswith("p95_execution_time_ms")
    assert (missed[-1], kept[-1]) == ("✗", "✓")


def test_no_wait_prints_the_id_alone_and_the_run_can_be_cancelled(
    valkey: "redis.Redis[bytes]",
) -> None:
    left = loadlab("run", *QUICK, "--tasks", "30", "--no-wait")
    assert left.returncode == 0, left.stderr
    test_id = left.stdout.strip()
    assert TEST_ID.fullmatch(test_id)
    assert "No dispatcher is running" in left.stderr
    assert "PENDING  0 of 30 finished" in loadlab("results", test_id).stdout
    listed = json.loads(loadlab("list", "--status", "pending", "--json").stdout)
    assert test_id in [row["test_id"] for row in listed]
    cancelled = loadlab("cancel", test_id)
    assert cancelled.returncode == 0, cancelled.stderr
    assert "cancelled" in cancelled.stdout
    again = loadlab("cancel", test_id)
    assert again.returncode == 2
    assert "nothing to cancel" in again.stderr


def test_a_group_shows_each_run_and_pages_lead_to_older_ones() -> None:
    done = loadlab("run", *QUICK, *OWN_WORKER, "--tasks", "20", "--repeat", "2")
    assert done.returncode == 0, done.stderr
    first, second = TEST_ID.findall(done.stdout)
    group = re.findall(r"lg_\w+", done.stdout)[-1]
    assert second in loadlab("results", group).stdout
    page = loadlab("list", "--limit", "1")
    assert second in page.stdout
    assert f"--before {second}" in page.stderr
    assert first in loadlab("list", "--limit", "1", "--before", second).stdout


def test_a_change_is_tried_noise_is_measured_and_groups_are_compared(tmp_path: Path) -> None:
    few = (*QUICK, "--tasks", "20")
    tried = loadlab("try", *few, "--change", "poll_delay=0.05", "--repeat", "1", "--json")
    assert tried.returncode == 0, tried.stderr
    proof = json.loads(tried.stdout)
    assert proof["changes"] == {"poll_delay": 0.05}
    before, after = (side["name"] for side in proof["sides"])
    (tmp_path / "before.json").write_text(loadlab("results", before, "--json").stdout)
    compared = loadlab("compare", str(tmp_path / "before.json"), after)
    assert compared.returncode == 0, compared.stderr
    assert "poll_delay" in compared.stdout
    noise = loadlab("noise", *few, *OWN_WORKER, "--repeat", "2")
    assert noise.returncode == 0, noise.stderr
    assert "From run to run throughput varies by" in noise.stdout
    assert "p95 execution time" in noise.stdout


def test_a_pinned_run_judges_the_next_and_runs_are_judged_again() -> None:
    few = (*QUICK, *OWN_WORKER, "--tasks", "20", "--json")
    first, second = (json.loads(loadlab("run", *few).stdout)["test_id"] for _ in range(2))
    assert loadlab("baseline", "pin", first).returncode == 0
    judged = json.loads(loadlab("evaluate", second, "--json").stdout)
    assert judged["analysis"]["baseline"]["kind"] == "pinned"
    assert f"pinned    {first}" in loadlab("baseline", "report").stdout


def test_a_queue_is_explained_without_load() -> None:
    explained = loadlab(
        "explain", "media", "--task-time", "200ms", "--rate", "5/s", "--workers", "1"
    )
    assert explained.returncode == 0, explained.stderr
    assert "poll_delay" in explained.stdout
    assert "5/s is 25 % of 20/s: it should keep up" in explained.stdout


def test_help_and_version_explain_themselves() -> None:
    for arguments in ((), ("help", "run")):
        shown = loadlab(*arguments)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "usage: loadlab" in shown.stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", loadlab("--version").stdout)
