"""The launch form: which question, how much of what, where; a wrong field says so at its place."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField

from runs.errors import InvalidSpec
from runs.spec import Spec, validate
from workers.errors import InvalidParameter
from workers.settings import QUEUES
from workers.tasks.registry import Parameter, TaskType, task_types

FAST, RATE = "fast", "rate"
BETWEEN = "--"  # a task type and its parameter, in the name of a field
_TOO_LONG = 1_000
_ARRIVALS = (
    ("constant", "constant, evenly spaced"),
    ("poisson", "poisson, as independent users come"),
)
_BURST = ("num_tasks", "batch_size", "delay_ms")
_OPEN = ("rate_per_s", "duration_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterRow:
    """A field of a task type's own parameter, with its unit and what it means."""

    field: BoundField
    label: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRows:
    """A task type and its parameters."""

    kind: TaskType
    metrics: str
    rows: Sequence[ParameterRow]


class LaunchForm(forms.Form):
    """Everything is text until it is cleaned, so that what was typed stays as it was typed."""

    question = forms.ChoiceField(choices=((FAST, FAST), (RATE, RATE)), initial=FAST)
    num_tasks = forms.CharField(required=False, label="Tasks")
    rate_per_s = forms.CharField(required=False, label="Rate R", initial="40")
    duration_s = forms.CharField(required=False, label="Duration D", initial="60")
    arrival = forms.ChoiceField(choices=_ARRIVALS, required=False, label="Arrivals")
    task_type = forms.ChoiceField(label="Task type")
    target_queue = forms.ChoiceField(choices=[(name, name) for name in QUEUES], label="Queue")
    batch_size = forms.CharField(required=False, label="Batch")
    delay_ms = forms.CharField(required=False, label="Delay")
    seed = forms.CharField(required=False, label="Seed")
    timeout_s = forms.CharField(required=False, label="Timeout")
    repeat = forms.CharField(required=False, label="Repeat")
    label = forms.CharField(required=False, label="Label", max_length=_TOO_LONG)
    thresholds = forms.CharField(
        required=False,
        label="Thresholds",
        max_length=10 * _TOO_LONG,
        widget=forms.Textarea({"rows": 2, "cols": 40}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = task_types()
        choices = [(name, name) for name in sorted(self.kinds)]
        self.fields["task_type"] = forms.ChoiceField(choices=choices, label="Task type")
        for kind in self.kinds.values():
            for parameter in kind.parameters:
                self.fields[field_name(kind, parameter)] = _field_of(parameter)
        for name, field in self.fields.items():
            field.widget.attrs.setdefault("autocomplete", "off")
            if name in _NUMBERS:
                field.widget.attrs.setdefault("inputmode", "decimal")
        self.spec: Spec | None = None

    def clean(self) -> dict[str, Any]:
        """The spec, or a sentence at each field that is wrong."""
        cleaned: dict[str, Any] = super().clean() or {}
        if self.errors:
            return cleaned
        asked = self._asked(cleaned)
        parameters = self._parameters(cleaned)
        if self.errors:
            return cleaned
        try:
            self.spec = validate(Spec(parameters=parameters, **asked))
        except InvalidSpec as refused:
            for name, sentence in refused.fields.items():
                self.add_error(name if name in self.fields else None, _as_sentence(sentence))
        return cleaned

    def type_rows(self) -> Iterator[TypeRows]:
        """Every task type with the fields of its parameters."""
        for name in sorted(self.kinds):
            kind = self.kinds[name]
            yield TypeRows(
                kind=kind,
                metrics=", ".join(metric.name for metric in kind.metrics[:3]),
                rows=[
                    ParameterRow(
                        field=self[field_name(kind, parameter)],
                        label=_label_of(parameter),
                        unit=parameter.unit,
                        meaning=parameter.meaning,
                    )
                    for parameter in kind.parameters
                ],
            )

    def _asked(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The spec's fields but its parameters; those of the other question are not looked at."""
        fast = cleaned["question"] == FAST
        asked: dict[str, Any] = {
            "task_type": cleaned["task_type"],
            "target_queue": cleaned["target_queue"],
            "label": cleaned["label"].strip(),
            "thresholds": _lines(cleaned["thresholds"]),
        }
        for name in _BURST if fast else _OPEN:
            self._number(name, into=asked)
        for name in ("seed", "timeout_s", "repeat"):
            self._number(name, into=asked)
        if not fast:
            asked["arrival"] = cleaned["arrival"] or "constant"
            for name in _OPEN:
                if name not in asked and name not in self.errors:
                    self.add_error(name, f"Give a number above 0, like {_EXAMPLES[name]}.")
        return asked

    def _number(self, name: str, *, into: dict[str, Any]) -> None:
        """The number that was typed; an empty field leaves the default."""
        typed = str(self.cleaned_data.get(name) or "").strip()
        if not typed:
            return
        read, kind = _NUMBERS[name]
        try:
            into[name] = read(typed)
        except ValueError:
            said = f'Give {kind}, like {_EXAMPLES[name]}. You typed "{typed[:40]}".'
            self.add_error(name, said)

    def _parameters(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the chosen task type; an empty field leaves the default."""
        kind = self.kinds[cleaned["task_type"]]
        found: dict[str, Any] = {}
        for parameter in kind.parameters:
            name = field_name(kind, parameter)
            typed = str(cleaned.get(name) or "").strip()
            if not typed:
                continue
            try:
                found[parameter.name] = parameter.parse(typed)
            except InvalidParameter:
                said = f'Give {parameter.allowed}. You typed "{typed[:40]}".'
                self.add_error(name, said)
        return found


def field_name(kind: TaskType, parameter: Parameter) -> str:
    """The name of the field of a task type's parameter."""
    return f"{kind.name}{BETWEEN}{parameter.name}"


def initial_of(spec: Spec) -> dict[str, Any]:
    """A spec as the form shows it."""
    shown: dict[str, Any] = {
        "question": FAST if spec.rate_per_s is None else RATE,
        "task_type": spec.task_type,
        "target_queue": spec.target_queue,
        "arrival": spec.arrival,
        "label": spec.label,
        "thresholds": "\n".join(spec.thresholds),
    }
    for name in (*_BURST, *_OPEN, "seed", "timeout_s", "repeat"):
        value = getattr(spec, name)
        if value is not None:
            shown[name] = f"{value:g}" if isinstance(value, float) else str(value)
    if spec.rate_per_s is not None:
        for name in _BURST:
            shown.pop(name, None)
    for kind in task_types().values():
        for parameter in kind.parameters:
            given = spec.parameters if kind.name == spec.task_type else {}
            shown[field_name(kind, parameter)] = _written(
                given.get(parameter.name, parameter.default)
            )
    return shown


def _whole(text: str) -> int:
    return int(text.replace(" ", ""))


def _decimal(text: str) -> float:
    return float(text.replace(" ", "").replace(",", "."))


_NUMBERS: dict[str, tuple[Callable[[str], float], str]] = {
    "num_tasks": (_whole, "a whole number above 0"),
    "batch_size": (_whole, "a whole number above 0"),
    "delay_ms": (_decimal, "a number of ms"),
    "rate_per_s": (_decimal, "a number above 0"),
    "duration_s": (_decimal, "a number of seconds above 0"),
    "seed": (_whole, "a whole number"),
    "timeout_s": (_decimal, "a number of seconds above 0"),
    "repeat": (_whole, "a whole number above 0"),
}
_UNITS = frozenset({"ms", "s", "mb", "kb"})  # beside the field already
_CAPITALS = {"api": "API", "cpu": "CPU", "io": "I/O", "id": "ID"}
_EXAMPLES = {
    "num_tasks": "1000",
    "batch_size": "20",
    "delay_ms": "50",
    "rate_per_s": "40",
    "duration_s": "60",
    "seed": "0",
    "timeout_s": "600",
    "repeat": "5",
}


def _field_of(parameter: Parameter) -> forms.Field:
    """A choice where there are few values, else a line of text."""
    if parameter.kind is bool:
        return forms.ChoiceField(choices=(("false", "no"), ("true", "yes")), required=False)
    if parameter.choices:
        return forms.ChoiceField(choices=[(c, c) for c in parameter.choices], required=False)
    attributes = {} if parameter.kind is str else {"inputmode": "decimal"}
    return forms.CharField(
        required=False, max_length=_TOO_LONG, widget=forms.TextInput(attrs=attributes)
    )


def _label_of(parameter: Parameter) -> str:
    stem, _, last = parameter.name.rpartition("_")
    is_unit = bool(stem) and last == parameter.unit and last in _UNITS
    name = (stem if is_unit else parameter.name).replace("_", " ")
    first, *rest = (_CAPITALS.get(word, word) for word in name.split())
    return " ".join([first[0].upper() + first[1:], *rest])


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _as_sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
