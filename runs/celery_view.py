"""Use case: show the stored tasks under the name and columns of django-celery-results' table.

A view, so that queries and reports written for that table run unchanged; nothing is stored twice.
A task has a row once it has ended, as it has there.
"""

from django.db import connection, transaction

from runs.errors import NotAllowedNow
from runs.states import TaskState
from workers.celery.states import State
from workers.tasks.registry import task_types

VIEW = "django_celery_results_taskresult"

STATE_OF: dict[TaskState, State] = {
    TaskState.COMPLETED: State.SUCCESS,
    TaskState.FAILED: State.FAILURE,
    TaskState.CANCELLED: State.REVOKED,
    TaskState.LOST: State.FAILURE,
}

_OURS = "loadlab's tasks as django-celery-results shows them; manage.py celery_view makes this view"


def create() -> None:
    """Make the view, anew where it was made before; NotAllowedNow where the name is taken."""
    with transaction.atomic(), connection.cursor() as cursor:
        _refuse_a_strangers()
        cursor.execute(f"DROP VIEW IF EXISTS {VIEW}")
        cursor.execute(f"CREATE VIEW {VIEW} AS {_query()}")
        cursor.execute(f"COMMENT ON VIEW {VIEW} IS {_quoted(_OURS)}")


def drop() -> bool:
    """Remove the view; whether there was one. NotAllowedNow where the name is another's."""
    _refuse_a_strangers()
    return drop_ours()


def drop_ours() -> bool:
    """Remove the view if it is ours; whether it was there."""
    with transaction.atomic(), connection.cursor() as cursor:
        is_there = exists()
        if is_there:
            cursor.execute(f"DROP VIEW {VIEW}")
    return is_there


def exists() -> bool:
    """Whether our view is there."""
    return _what_has_the_name() == ("v", _OURS)


def _refuse_a_strangers() -> None:
    found = _what_has_the_name()
    if found is not None and found != ("v", _OURS):
        raise NotAllowedNow(
            f"{VIEW} exists and is not loadlab's: its rows stay as they are. Give loadlab a "
            "database or a schema of its own (DATABASE_URL) to have the view there."
        )


def _what_has_the_name() -> tuple[str, str] | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relkind::text, coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class"
            " WHERE oid = to_regclass(%s)",
            [VIEW],
        )
        row = cursor.fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def _query() -> str:
    # why left joins: on unique keys the planner leaves out those that a query does not need, and
    # walks the tasks' own indexes; a union or a condition here would cost it the order by date_done
    return _QUERY.format(status=_status(), task_name=_task_name())


def _status() -> str:
    cases = " ".join(
        f"WHEN {_quoted(ours.value)} THEN {_quoted(celerys.value)}"
        for ours, celerys in STATE_OF.items()
    )
    return f"(CASE t.state {cases} END)::varchar(50)"


def _task_name() -> str:
    """The name that arq, and so Flower, knows the task by."""
    renamed = " ".join(
        f"WHEN {_quoted(kind.name)} THEN {_quoted(kind.function)}"
        for kind in task_types().values()
        if kind.function != kind.name
    )
    return f"(CASE c.task_type {renamed} ELSE c.task_type END)" if renamed else "c.task_type"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_RESULT = """
CASE t.state
    WHEN 'completed' THEN coalesce(t.metrics::text, 'null')
    WHEN 'cancelled' THEN json_build_object('exc_type', 'TaskRevokedError',
        'exc_message', json_build_array('cancelled'), 'exc_module', 'celery.exceptions')::text
    WHEN 'lost' THEN json_build_object('exc_type', 'WorkerLostError', 'exc_message',
        json_build_array('no result by the end of the run'), 'exc_module', 'billiard.exceptions'
        )::text
    ELSE json_build_object('exc_type', regexp_replace(t.error_type, '^.*\\.', ''),
        'exc_message', json_build_array(t.error_message), 'exc_module',
        CASE WHEN t.error_type LIKE '%.%' THEN regexp_replace(t.error_type, '\\.[^.]*$', '')
        ELSE 'builtins' END)::text
END
"""

_QUERY = f"""
SELECT (t.run_id << 32) | t.sequence AS id,
    t.task_id,
    NULL::varchar(255) AS periodic_task_name,
    {{task_name}} AS task_name,
    '[]'::text AS task_args,
    (c.parameters || jsonb_build_object('seed', c.seed))::text AS task_kwargs,
    {{status}} AS status,
    nullif(t.worker, '')::varchar(200) AS worker,
    'application/json'::varchar(128) AS content_type,
    'utf-8'::varchar(64) AS content_encoding,
    {_RESULT} AS result,
    coalesce(t.enqueued_at, t.intended_at, r.created_at) AS date_created,
    t.started_at AS date_started,
    t.finished_at AS date_done,
    nullif(t.traceback, '') AS traceback,
    '{{{{"children": []}}}}'::text AS meta,
    r.test_id AS run_id,
    t.retries,
    r.target_queue AS queue,
    extract(epoch FROM t.finished_at - t.started_at)::float8 AS runtime,
    t.metrics
FROM runs_taskmetric t
LEFT JOIN runs_loadtestrun r ON r.id = t.run_id
LEFT JOIN runs_loadtestconfiguration c ON c.id = r.configuration_id
"""  # noqa: S608 - nothing in it comes from outside
