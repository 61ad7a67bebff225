"""The shapes of all that is answered."""

from runs.analysis.report_figures import VERDICTS
from runs.api.schema.report import REPORT, STATUS
from runs.api.schema.shapes import (
    ANY_OBJECT,
    COUNT,
    INSTANT,
    NUMBER,
    TEXT,
    URL,
    YES_NO,
    Schema,
    at_least,
    component,
    fixed,
    list_of,
    or_null,
    said,
    words,
)
from runs.states import TaskState
from workers.celery.states import READY_STATES

_CURSOR = said(or_null(TEXT), "the `cursor` of the next page; null on the last one")
_SCALAR: Schema = {"type": ["number", "boolean", "string"]}


def page_of(item: Schema) -> Schema:
    """A page of a list."""
    return fixed(results=list_of(item), next_cursor=_CURSOR, next=or_null(URL))


def all_of(item: Schema) -> Schema:
    """A list that is short enough for one answer."""
    return fixed(results=list_of(item))


LAUNCHED: Schema = {
    "type": "object",
    "required": ["task_id", "test_id", "status", "queued_at", "message", "result_url"],
    "properties": {
        "task_id": said(TEXT, "the same as test_id"),
        "test_id": said(TEXT, "of the run; of the first one where `repeat` asked for several"),
        "status": STATUS,
        "queued_at": INSTANT,
        "message": said(TEXT, "what was launched, what it waits for, what is missing"),
        "result_url": URL,
        "group_id": said(TEXT, "only where `repeat` asked for several runs"),
        "runs": list_of(fixed(test_id=TEXT, result_url=URL)),
    },
    "additionalProperties": False,
}

RUN: Schema = fixed(
    test_id=TEXT,
    group_id=TEXT,
    label=TEXT,
    status=STATUS,
    task_type=TEXT,
    target_queue=TEXT,
    num_tasks=COUNT,
    tasks_sent=COUNT,
    tasks_completed=COUNT,
    tasks_failed=COUNT,
    tasks_lost=COUNT,
    tasks_cancelled=COUNT,
    created_at=INSTANT,
    started_at=or_null(INSTANT),
    finished_at=or_null(INSTANT),
    overall_throughput=or_null(NUMBER),
    regime=or_null(TEXT),
    verdict=or_null(words(*VERDICTS, "incomparable", "no_baseline")),
    headline=or_null(TEXT),
    result_url=URL,
)

TASK: Schema = fixed(
    id=TEXT,
    sequence=said(COUNT, "from 1, in the order of sending"),
    state=words(*(state.value for state in TaskState)),
    celery_state=said(words(*sorted(READY_STATES)), "what Celery's tools call that state"),
    intended_at=or_null(INSTANT),
    enqueued_at=or_null(INSTANT),
    started_at=or_null(INSTANT),
    finished_at=or_null(INSTANT),
    execution_time_ms=or_null(NUMBER),
    retries=COUNT,
    worker=or_null(TEXT),
    metrics=said({}, "what the task reported"),
    error_type=or_null(TEXT),
    error_message=or_null(TEXT),
    traceback=or_null(TEXT),
)

TASK_TYPE: Schema = fixed(
    name=TEXT,
    summary=TEXT,
    queue=TEXT,
    default_tasks=COUNT,
    timeout_s=or_null(NUMBER),
    parameters=list_of(
        fixed(
            name=TEXT,
            kind=words("int", "float", "bool", "str"),
            default=_SCALAR,
            minimum=or_null(NUMBER),
            maximum=or_null(NUMBER),
            choices=list_of(TEXT),
            unit=TEXT,
            meaning=TEXT,
            allowed=said(TEXT, "what may be given, in words"),
        )
    ),
    metrics=list_of(fixed(name=TEXT, unit=TEXT, formula=TEXT)),
)

QUEUE: Schema = at_least(
    queue=TEXT,
    active_run=said(or_null(TEXT), "the run that has the queue to itself now"),
    reachable=said(YES_NO, "false: Redis does not answer, `because` says more"),
    because=or_null(TEXT),
    queued=or_null(COUNT),
    due=or_null(COUNT),
    deferred=or_null(COUNT),
    running=or_null(COUNT),
    oldest_job_age_s=or_null(NUMBER),
    workers=list_of(ANY_OBJECT),
)

COMPARISON: Schema = at_least(
    sides=list_of(at_least(name=TEXT, n=COUNT, runs=list_of(ANY_OBJECT))),
    comparisons=list_of(
        at_least(
            before=TEXT,
            now=TEXT,
            verdict=words(*VERDICTS, "incomparable", "no_baseline"),
            headline=TEXT,
            because=TEXT,
            changed=said(list_of(ANY_OBJECT), "what differs in the environment"),
            configuration_differences=list_of(ANY_OBJECT),
            figures=said(ANY_OBJECT, "{figure: {before, value, change, interval, verdict, …}}"),
        )
    ),
)

EXPLANATION: Schema = at_least(
    subject=TEXT,
    fleet=at_least(processes=COUNT, slots=COUNT, source=TEXT),
    task_time_ms=or_null(NUMBER),
    task_time_source=TEXT,
    bottleneck=or_null(ANY_OBJECT),
    missing=list_of(TEXT),
    rate=said(or_null(ANY_OBJECT), "whether rate_per_s fits; null where none was given"),
)

BASELINE: Schema = at_least(
    configuration_id=COUNT,
    name=TEXT,
    in_words=TEXT,
    queue=TEXT,
    last_run=TEXT,
    last_at=or_null(INSTANT),
    figure=said(TEXT, "which figure the history is of"),
    unit=TEXT,
    last_figure=or_null(NUMBER),
    baseline=or_null(NUMBER),
    verdict=TEXT,
    history=list_of(at_least(test_id=TEXT, value=or_null(NUMBER), at=or_null(INSTANT))),
    change_points=list_of(TEXT),
    since=said(or_null(TEXT), "since which run it is faster or slower"),
    pinned_run=or_null(TEXT),
)

COMPONENTS: dict[str, Schema] = {
    "Error": {
        **fixed(
            error=said(TEXT, "for machines: one word, never changed"),
            message=said(TEXT, "for people: what to do"),
            fields=said(
                {"type": "object", "additionalProperties": TEXT}, "a sentence for each wrong field"
            ),
        ),
        "description": "Every error, whatever it is.",
    },
    "Launched": LAUNCHED,
    "Run": RUN,
    "Runs": page_of(component("Run")),
    "Task": TASK,
    "Tasks": page_of(component("Task")),
    "TaskType": TASK_TYPE,
    "TaskTypes": all_of(component("TaskType")),
    "Stopped": fixed(test_id=TEXT, status=STATUS, message=TEXT, result_url=URL),
    "Report": REPORT,
    "Group": fixed(group_id=TEXT, runs=list_of(component("Report")), summary=ANY_OBJECT),
    "Comparison": COMPARISON,
    "Explanation": EXPLANATION,
    "Baseline": BASELINE,
    "Baselines": all_of(component("Baseline")),
    "Queue": QUEUE,
    "Queues": all_of(component("Queue")),
    "Alive": fixed(status=words("alive")),
    "Ready": fixed(
        status=words("ready"), dependencies=fixed(database=words("ok"), redis=words("ok"))
    ),
}
