"""Runs left to the daemons: launched, watched, waited for, cancelled; and their bad days."""

import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from survival import Loadlab, a_loadlab

NOOP = ("--type", "noop", "--no-wait")
SLEEP = ("--type", "sleep", "--no-wait")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def lab() -> Iterator[Loadlab]:
    """A dispatcher, a collector and a worker of `load_test`."""
    names = ("dispatcher", "collector", "worker")
    with a_loadlab(names, job_timeout_s=300) as started:
        for name in names[:2]:
            started.wait_until(lambda name=name: f"{name}_started" in events(started, name))
        yield started


def report_of(lab: Loadlab, test_id: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(lab.command("load_test", "results", test_id, "--json"))
    return report


def launched(lab: Loadlab, *arguments: str) -> str:
    """The id of a run that daemons which are alive take care of: there is nothing else to say."""
    done = lab.ask("load_test", "run", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def cancelled(lab: Loadlab, test_id: str) -> None:
    """Cancel it and wait until it has ended."""
    if lab.status_of(test_id) in {"pending", "dispatching", "running"}:
        lab.command("load_test", "cancel", test_id)
        lab.wait_for_end(test_id, within_s=60)


def traces_of(lab: Loadlab, test_id: str) -> list[str]:
    """Every key and every id on a queue that names the run."""
    with lab.redis() as redis:
        found = [str(key) for key in redis.scan_iter(count=1000) if test_id.encode() in key]
        for key in redis.scan_iter("arq:*", _type="zset"):
            found += [str(m) for m in redis.zrange(key, 0, -1) if test_id.encode() in m]
    return found


def column(lab: Loadlab, test_id: str, name: str) -> Any:
    query = f"SELECT {name} FROM runs_loadtestrun WHERE test_id = %s"
    return lab.sql(query, test_id)[0][0]


def test_ten_thousand_cpu_tasks_are_launched_watched_and_cancelled(lab: Loadlab) -> None:
    test_id = launched(
        lab,
        *("--type", "cpu_intensive", "--tasks", "10000"),
        *("--batch", "100", "--delay", "0", "--no-wait"),
    )
    lab.wait_for_rows(test_id, at_least=3)

    [row] = json.loads(lab.command("load_test", "list", "--status", "running", "--json"))
    assert (row["test_id"], row["num_tasks"]) == (test_id, 10_000)
    assert test_id in lab.command("load_test", "list")
    progress = report_of(lab, test_id)["progress"]
    assert (progress["planned"], progress["sent"]) == (10_000, 10_000)
    assert 3 <= progress["completed"] < 10_000
    assert progress["outstanding"] == 10_000 - progress["completed"]
    said = lab.command("load_test", "results", test_id)
    assert "RUNNING" in said
    assert "of 10,000 finished" in said.replace("\u202f", ",").replace(" 000", ",000")

    told = lab.command("load_test", "cancel", test_id)
    assert told == f"{test_id} is being cancelled by the process that collects it."
    lab.wait_for_end(test_id, within_s=60)
    report = report_of(lab, test_id)
    books = report["analysis"]["accounting"]
    assert report["status"] == "cancelled"
    assert report["headline"].startswith("Cancelled after 10")
    assert books["sent"] == books["completed"] + books["failed"] + books["cancelled"] == 10_000
    assert (books["lost"], books["outstanding"], books["failed"]) == (0, 0, 0)
    states = dict(
        lab.sql(
            "SELECT state, count(*) FROM runs_taskmetric WHERE task_id LIKE %s GROUP BY state",
            f"{test_id}-%",
        )
    )
    assert states == {"completed": books["completed"], "cancelled": books["cancelled"]}
    assert traces_of(lab, test_id) == []
    again = lab.ask("load_test", "cancel", test_id)
    assert (again.returncode, again.stdout) == (2, "")
    assert f"{test_id} is cancelled already" in again.stderr


def test_a_run_waits_for_the_one_on_its_queue_and_says_so(lab: Loadlab) -> None:
    first = launched(lab, *SLEEP, "--param", "duration_ms=60000", "--tasks", "3")
    second = launched(lab, *NOOP, "--tasks", "5")
    lab.wait_until(lambda: lab.status_of(first) == "running")
    assert lab.status_of(second) == "pending"
    assert report_of(lab, second)["progress"]["waiting_for"] == f"after {first} on load_test"
    assert f"after {first} on load_test" in lab.command("load_test", "results", second)
    cancelled(lab, first)
    lab.wait_for_end(second, within_s=60)
    assert lab.status_of(second) == "completed"
    for test_id, changes in ((first, "cancelled"), (second, "completed")):
        assert _said_of(lab, "dispatcher", test_id) == ["dispatcher_claimed", "all_sent"]
        assert _said_of(lab, "collector", test_id) == ["collector_claimed", f"run_ended {changes}"]


def _said_of(lab: Loadlab, name: str, test_id: str) -> list[str]:
    """The events of a run in a daemon's log, each with the status that it names."""
    events = []
    for line in lab.log_of(name):
        if test_id in line:
            _day, _time, _level, event, *facts = line.split()
            status = [fact.removeprefix("status=") for fact in facts if "status=" in fact]
            events.append(" ".join([event, *status]))
    return events


def test_several_queues_are_sent_at_once(lab: Loadlab) -> None:
    queues = ("load_test", "system", "media")
    slow = ("--batch", "1", "--delay", "100ms", "--tasks", "80")
    runs = [launched(lab, *NOOP, "--queue", queue, *slow) for queue in queues]
    lab.wait_until(lambda: all(column(lab, run, "sent_at") for run in runs))
    assert max(column(lab, run, "started_at") for run in runs) < min(
        column(lab, run, "sent_at") for run in runs
    )
    for run in runs:
        cancelled(lab, run)
        assert column(lab, run, "sent_count") == 80
        assert traces_of(lab, run) == []


def test_nothing_more_goes_out_once_a_run_is_cancelled(lab: Loadlab) -> None:
    run = launched(lab, *NOOP, "--tasks", "5000", "--batch", "10", "--delay", "50ms")
    lab.wait_for_rows(run, at_least=50)
    cancelled(lab, run)
    sent, accounted = lab.sql(
        "SELECT sent_count, completed_count + cancelled_count FROM runs_loadtestrun"
        " WHERE test_id = %s",
        run,
    )[0]
    assert lab.status_of(run) == "cancelled"
    assert 50 <= int(str(sent)) < 5000
    assert accounted == sent
    time.sleep(0.5)  # some batches later
    assert traces_of(lab, run) == []
    assert column(lab, run, "sent_count") == sent


def test_a_slow_queue_does_not_slow_what_is_sent_at_a_rate(lab: Loadlab) -> None:
    run = launched(
        lab, *SLEEP, "--param", "duration_ms=2000", "--rate", "200/s", "--duration", "4s"
    )
    lab.wait_until(lambda: column(lab, run, "sent_at") is not None)
    sending_s = (column(lab, run, "sent_at") - column(lab, run, "started_at")).total_seconds()
    accounted = int(column(lab, run, "completed_count"))
    cancelled(lab, run)
    assert column(lab, run, "sent_count") == 800
    assert accounted < 400  # 30 slots serve 15 a second
    assert sending_s < 2 * 4  # at the rate asked for, and not at the one served


def test_a_dispatcher_that_lags_is_told_of_in_the_report(lab: Loadlab) -> None:
    run = launched(lab, *NOOP, "--rate", "50/s", "--duration", "4s")
    lab.wait_for_rows(run, at_least=20)
    lab.processes["dispatcher"].send_signal(signal.SIGSTOP)
    time.sleep(1.5)
    lab.processes["dispatcher"].send_signal(signal.SIGCONT)
    lab.wait_for_end(run, within_s=60)
    report = report_of(lab, run)
    assert report["status"] == "completed"
    assert report["metrics"]["tasks_completed"] == 200
    assert report["analysis"]["environment"]["observer"]["p99_dispatch_lag_ms"] > 500
    assert any("sent late" in note for note in report["notes"]), report["notes"]
    assert column(lab, run, "is_doubtful")


def test_the_timeline_has_what_was_seen_in_every_bin(lab: Loadlab) -> None:
    run = launched(lab, *NOOP, "--rate", "20/s", "--duration", "6s")
    lab.wait_for_end(run, within_s=60)
    report = report_of(lab, run)
    line = report["analysis"]["timeline"]
    assert len(line["finished"]) >= 6
    for name in ("worker_cpu_percent", "worker_rss_mb", "redis_cpu_percent"):
        assert len(line[name]) == len(line["finished"])
        assert None not in line[name]
    assert 0 < report["analysis"]["environment"]["observer"]["redis_commands_percent"] < 100


def test_without_daemons_that_is_said_and_they_may_come_later() -> None:
    with a_loadlab(()) as lab:
        done = lab.ask("load_test", "run", *NOOP, "--tasks", "4")
        assert done.returncode == 0
        run = done.stdout.strip()
        assert done.stderr.splitlines() == [
            f"No {role} is running, so it waits: `make up` starts all it needs."
            for role in ("dispatcher", "collector")
        ]
        assert "No dispatcher is running" in lab.command("load_test", "results", run)
        for name in ("dispatcher", "collector", "worker"):
            lab.start(name)
        lab.wait_for_end(run, within_s=60)
        assert lab.status_of(run) == "completed"


def test_servers_that_are_away_when_daemons_start_are_waited_for() -> None:
    with a_loadlab(()) as lab:
        lab.environment |= {
            "DATABASE_URL": lab.postgres_url(),
            "REDIS_URL": f"unix://{lab.folder}/run/valkey.sock",
        }
        lab.stop_servers()
        for name in ("dispatcher", "collector", "worker"):
            lab.start(name)
        daemons = ("dispatcher", "collector")
        for name in daemons:
            lab.wait_until(lambda name=name: {"postgres_away", "redis_away"} <= events(lab, name))
        refused = lab.ask("load_test", "run", *NOOP)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Traceback" not in refused.stderr

        lab.postgres_url()  # starts it
        lab.wait_until(lambda: all("postgres_back" in events(lab, name) for name in daemons))
        refused = lab.ask("load_test", "run", *NOOP)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert f"{lab.folder}/run/valkey.sock" in refused.stderr
        assert lab.sql("SELECT count(*) FROM runs_loadtestrun") == [(0,)]

        lab.redis().close()
        run = launched(lab, *NOOP, "--tasks", "20")
        lab.wait_for_end(run, within_s=60)
        assert lab.status_of(run) == "completed"
        for name in daemons:
            said = [line.split()[3] for line in lab.log_of(name)]
            for event in ("postgres_away", "redis_away", "postgres_back", "redis_back"):
                assert said.count(event) == 1, lab.last_words()


def events(lab: Loadlab, name: str) -> set[str]:
    return {line.split()[3] for line in lab.log_of(name) if len(line.split()) > 3}


def test_of_two_dispatchers_an_hour_apart_one_holds_a_run_at_a_time() -> None:
    names = ("early-dispatcher", "dispatcher")
    with a_loadlab((*names, "collector", "worker")) as lab:
        lab.wait_until(lambda: all("dispatcher_started" in events(lab, name) for name in names))
        lab.processes["dispatcher"].send_signal(signal.SIGSTOP)  # so that the other one claims it
        run = lab.launch(tasks=400, batch=5, delay="100ms")
        lab.wait_for_rows(run, at_least=20)
        lab.processes["dispatcher"].send_signal(signal.SIGCONT)
        holder = column(lab, run, "dispatcher")
        lab.wait_for_rows(run, at_least=100)  # a lease in which the clocks disagree who holds it
        assert column(lab, run, "dispatcher") == holder
        assert column(lab, run, "dispatcher_until - now() < interval '11 seconds'")
        lab.kill("early-dispatcher")
        left_at = int(column(lab, run, "sent_count"))
        seconds = lab.wait_for_end(run, within_s=90)
        books = lab.books(run, seconds=seconds)
        lags = lab.sql(
            "SELECT max(abs(extract(epoch FROM enqueued_at - intended_at))) FROM runs_taskmetric"
        )
    assert left_at < 400
    assert (books.status, books.rows, books.distinct) == ("completed", 400, 400), books
    assert books.executions == {1: 400}
    assert books.keys_left == 0
    assert float(str(lags[0][0])) < 60  # the time that it took to notice, and no hour
