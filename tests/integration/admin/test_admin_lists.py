"""The lists: as many queries among many rows as among few, whatever is looked for."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from factories import a_run, tasks_of

from runs.models import LoadTestRun
from runs.models.ingest import ingest
from runs.states import RunStatus, TaskState

RUNS, TASKS, RESULTS = (
    f"admin:runs_{name}_changelist" for name in ("loadtestrun", "taskmetric", "taskresult")
)
MOST = 9
RUN = "{run}"

ASKED: list[tuple[str, dict[str, str]]] = [
    (RUNS, {}),
    *((RUNS, {"q": term}) for term in (RUN, "lt_2", "nightly", "lg_1", "no such")),
    *((RUNS, {name: value}) for name, value in (("status", "failed"), ("queue", "load_test"))),
    *((RUNS, {name: value}) for name, value in (("verdict", "regressed"), ("type", "noop"))),
    *((RUNS, {name: value}) for name, value in (("group", "lg_1"), ("configuration", "1"))),
    (TASKS, {}),
    *((TASKS, {"q": term}) for term in ("{run}-0000001", RUN, "lt_", "no such")),
    (TASKS, {"run": RUN}),
    (TASKS, {"run": RUN, "order": "slowest"}),
    (TASKS, {"run": RUN, "state": "failed"}),
    (TASKS, {"run": RUN, "state": "failed", "error": "ValueError"}),
    (RESULTS, {}),
    *((RESULTS, {"q": term}) for term in ("{run}-0000001", RUN, "noop", "no such")),
    *((RESULTS, {"status": state}) for state in ("SUCCESS", "FAILURE", "REVOKED")),
    *((RESULTS, {"date_done": since}) for since in ("Today", "This year")),
    *((RESULTS, {"task_name": "noop"}), (RESULTS, {"worker": "w1"})),
]


@pytest.fixture
def few(db: None) -> LoadTestRun:
    run = a_run(status=RunStatus.FAILED, label="nightly 1", group_id="lg_1")
    ingest(run.pk, tasks_of(run, range(1, 4)))
    ingest(run.pk, tasks_of(run, range(4, 6), state=TaskState.FAILED))
    return run


def many(run: LoadTestRun) -> None:
    """More of each, on other runs and on this one; more than a page."""
    ingest(run.pk, tasks_of(run, range(10, 60)))
    ingest(run.pk, tasks_of(run, range(60, 90), state=TaskState.FAILED))
    for n in range(60):
        other = a_run(status=RunStatus.FAILED, label=f"nightly {n}", group_id="lg_1")
        if n < 10:
            ingest(other.pk, tasks_of(other, range(1, 15)))


def queries_of(client: Any, name: str, asked: dict[str, str]) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(reverse(name), asked).status_code == 200
    said = " ".join(query["sql"] for query in seen.captured_queries).upper()
    assert "DISTINCT" not in said
    assert "LIKE UPPER" not in said
    return len(seen)


def test_no_list_asks_more_of_more_rows(boss: Any, few: LoadTestRun) -> None:
    asked = [
        (name, {key: value.format(run=few.test_id) for key, value in each.items()})
        for name, each in ASKED
    ]
    boss.get(reverse(RUNS))  # what is asked for once a process
    before = [queries_of(boss, *each) for each in asked]
    many(few)
    for each, count in zip(asked, before, strict=True):
        assert queries_of(boss, *each) == count <= MOST, each
