"""What may be sent, field by field; whether it can be done is decided by the use cases."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from runs.analysis.report_figures import VERDICTS
from runs.api.errors import InvalidRequest
from runs.api.fields import (
    Instant,
    JSONObject,
    Matching,
    Number,
    OneOf,
    QueryNumber,
    Text,
    Texts,
    WholeNumber,
)
from runs.api.keyset import DEFAULT_SIZE, MAX_SIZE, cursor_form
from runs.arrivals import ArrivalModel
from runs.spec import MAX_DELAY_MS, MAX_DURATION_S, MAX_LABEL, MAX_REPEAT, MAX_SEED, Spec
from runs.states import RunStatus, TaskState
from workers.settings import QUEUES

RUN_ID = r"lt_[0-9A-Za-z_]{1,36}"
GROUP_ID = r"lg_[0-9A-Za-z_]{1,36}"
REFERENCE = f"{RUN_ID}|{GROUP_ID}"
MAX_NAME = 100
# for whoever reads the contract, which is the same wherever it is read: the user's own come beside
BUILT_IN_TYPES = (
    *("cpu_intensive", "io_simulation", "memory_operations"),
    *("sleep", "noop", "failure_testing"),
)
MOST_COMPARED = 20
MOST_WORKERS = 128  # why: a third of a second; what explains many more takes a web process's minute
NO_ID = "the id of a run (lt_…) or of a group (lg_…)"

_DEFAULT = Spec()


class Strict(serializers.Serializer[Any]):
    """Refuses what it does not know, by name, and says what it does know."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The values of the known fields; InvalidRequest has a sentence for each wrong one."""
        problems = {str(name): self._unknown(str(name)) for name in data if name not in self.fields}
        values: dict[str, Any] = {}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            found = dict(error.detail) if isinstance(error.detail, dict) else {}
            problems |= {name: _sentence(name, said) for name, said in found.items()}
        if problems:
            raise InvalidRequest(problems)
        return values

    def _unknown(self, name: str) -> str:
        shown = name if len(name) <= 80 else name[:79] + "…"
        if not self.fields:
            return f"{shown!r} is unknown; nothing is taken here."
        near = difflib.get_close_matches(name[:80], list(self.fields), n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        return f"{shown!r} is unknown{hint}; allowed are {', '.join(self.fields)}."


class Nothing(Strict):
    """An empty object, or no body at all."""


@extend_schema_serializer(component_name="Launch")
class LaunchRequest(Strict):
    """A load test: either batches (num_tasks, batch_size, delay_ms) or a rate for a duration."""

    task_type = Text(
        most=MAX_NAME,
        required=False,
        default=_DEFAULT.task_type,
        schema={"anyOf": [{"enum": list(BUILT_IN_TYPES)}, {"minLength": 1}]},
        help_text="one of GET load-test-types: built in, or your own",
    )
    parameters = JSONObject(
        required=False,
        schema={"additionalProperties": {"type": ["number", "boolean", "string"]}},
        help_text="of the task type, by name; what is not given has its default",
    )
    num_tasks = WholeNumber(
        required=False,
        allow_null=True,
        schema={"minimum": 1},
        help_text="at most LOADLAB_MAX_TASKS (1000000); null: the default of the task type",
    )
    batch_size = WholeNumber(
        required=False, allow_null=True, schema={"minimum": 1}, help_text="null: 10"
    )
    delay_ms = Number(
        required=False,
        allow_null=True,
        schema={"minimum": 0, "maximum": MAX_DELAY_MS},
        help_text="between two batches; null: 0",
    )
    rate_per_s = Number(
        required=False,
        allow_null=True,
        schema={"exclusiveMinimum": 0},
        help_text="tasks a second, at most LOADLAB_MAX_RATE; needs duration_s or num_tasks",
    )
    duration_s = Number(
        required=False,
        allow_null=True,
        schema={"exclusiveMinimum": 0, "maximum": MAX_DURATION_S},
        help_text="how long to send at rate_per_s",
    )
    arrival = OneOf(
        tuple(model.value for model in ArrivalModel),
        required=False,
        allow_null=True,
        help_text="null: constant where a rate is given, else batches",
    )
    seed = WholeNumber(
        required=False, default=_DEFAULT.seed, schema={"minimum": 0, "maximum": MAX_SEED}
    )
    target_queue = OneOf(QUEUES, required=False, default=_DEFAULT.target_queue)
    # why ignored: a serializer takes its fields out of the class, so that `label` stays its own
    label = Text(  # type: ignore[assignment]
        required=False, default=_DEFAULT.label, most=MAX_LABEL
    )
    timeout_s = Number(
        required=False,
        default=_DEFAULT.timeout_s,
        schema={"exclusiveMinimum": 0, "maximum": MAX_DURATION_S},
        help_text="after the last arrival, what is missing counts as lost",
    )
    # why no file: the CLI's own, not one of the machine that evaluates
    baseline = Matching(
        f"auto|none|{REFERENCE}",
        allowed=f"auto, none or {NO_ID}",
        required=False,
        default=_DEFAULT.baseline,
    )
    thresholds = Texts(
        required=False,
        default=list,
        schema={"items": {"type": "string", "minLength": 1, "maxLength": 200}, "maxItems": 50},
        help_text="such as p95_execution_time_ms<500, judged when the run has ended",
    )
    repeat = WholeNumber(
        required=False,
        default=_DEFAULT.repeat,
        schema={"minimum": 1, "maximum": MAX_REPEAT},
        help_text="so many runs of one group, one after the other",
    )


def spec_of(values: Mapping[str, Any]) -> Spec:
    """What the fields ask for."""
    asked = {**values, "thresholds": tuple(values["thresholds"])}
    return Spec(**asked)


class Query(Strict):
    """The parameters of a query: each at most once."""

    @classmethod
    def read(cls, given: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
        """The values; InvalidRequest where one is unknown, wrong or given twice."""
        once: dict[str, Any] = {}
        twice: dict[str, str] = {}
        for name, values in given:
            once[name] = values[-1]
            if len(values) > 1:
                twice[name] = f"{name[:80]!r} is given {len(values)} times: once is allowed."
        if twice:
            raise InvalidRequest(twice)
        query = cls(data=once)
        query.is_valid(raise_exception=True)
        return dict(query.validated_data)


def next_cursor(*, parts: int) -> Matching:
    """Where a page begins."""
    return Matching(
        cursor_form(parts),
        allowed="the next_cursor of the page before",
        required=False,
        default=None,
        help_text="the next_cursor of the page before",
    )


class Page(Query):
    """How long a page of a list is."""

    page_size = QueryNumber(low=1, high=MAX_SIZE, whole=True, required=False, default=DEFAULT_SIZE)


class RunsQuery(Page):
    """Which runs."""

    cursor = next_cursor(parts=1)
    status = OneOf(tuple(status.value for status in RunStatus), required=False)
    task_type = Text(required=False, most=MAX_NAME)
    target_queue = OneOf(QUEUES, required=False)
    label = Text(  # type: ignore[assignment]
        required=False, most=MAX_LABEL, help_text="how it begins"
    )
    verdict = OneOf((*VERDICTS, "incomparable", "no_baseline"), required=False)
    group_id = Matching(GROUP_ID, allowed="the id of a group (lg_…)", required=False)
    created_after = Instant(required=False, help_text="at or after this instant")
    created_before = Instant(required=False, help_text="before this instant")


class TasksQuery(Page):
    """Which tasks of a run, in which order."""

    cursor = next_cursor(parts=2)
    state = OneOf(tuple(state.value for state in TaskState), required=False)
    order = OneOf(
        ("sequence", "slowest"),
        required=False,
        default="sequence",
        help_text="slowest: longest execution first, without those that never ran",
    )


class ResultQuery(Query):
    """Which queue the run is expected on."""

    target_queue = OneOf(QUEUES, required=False)


class CompareQuery(Query):
    """Which runs or groups."""

    # why ids only: a report file is one of the machine that asks, which is the CLI's business
    runs = Matching(
        rf"({REFERENCE})(,({REFERENCE})){{1,{MOST_COMPARED - 1}}}",
        allowed=f"2 to {MOST_COMPARED} ids with commas between: {NO_ID}",
        help_text="two or more, with commas between; the first is what the others are compared to",
    )


class ExplainQuery(Query):
    """Which queue, under which load."""

    target_queue = OneOf(QUEUES, required=False, default=None)
    task_time_s = QueryNumber(
        low=0,
        high=MAX_DURATION_S,
        required=False,
        default=None,
        help_text="how long a task takes; else the mean of the last run on the queue",
    )
    workers = QueryNumber(
        low=1,
        high=MOST_WORKERS,
        whole=True,
        required=False,
        default=None,
        help_text="so many with the queue's settings; else those that serve it now",
    )
    rate_per_s = QueryNumber(
        low=0.001, high=1e6, required=False, default=None, help_text="does this rate fit?"
    )


def _sentence(name: str, said: Any) -> str:
    text = " ".join(str(part) for part in said) if isinstance(said, list) else str(said)
    words = {"required": f"{name} is missing.", "null": f"{name} is null: leave it out instead."}
    codes = {getattr(part, "code", "") for part in said} if isinstance(said, list) else set()
    return next((words[code] for code in words if code in codes), text)
