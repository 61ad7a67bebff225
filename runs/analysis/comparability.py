"""May these runs be compared, and what else differs between them?

A workload must be equal to compare at all. A history further asks for equal slots, arq settings and
host class; versions and revision are listed as changed and never filtered, or an upgrade would
never be judged.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORKLOAD = (
    "task_type",
    "parameters",
    "num_tasks",
    "batch_size",
    "delay_ms",
    "rate_per_s",
    "duration_s",
    "arrival",
    "seed",
    "target_queue",
    "target",
)
# The parts of an environment, by the first name of their path.
BARRING = ("slots", "processes", "arq_settings", "host_class")
LISTED = ("versions", "revision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field in which two runs differ; None where one of them lacks it."""

    field: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """As people write it: poll_delay 0.5 → 0.05."""
        path, _, name = self.field.rpartition(".")
        # why: arq's settings have no units in their names
        name = name.removesuffix("_s") if path == "arq_settings" else name
        return f"{name} {_shown(self.before)} → {_shown(self.after)}"

    def as_document(self) -> dict[str, Any]:
        """The entry of the report's `changed`."""
        return {"field": self.field, "from": self.before, "to": self.after}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentDifferences:
    """What differs in what served two runs."""

    barring: tuple[Difference, ...]  # slots, arq settings, host class: it was another queue
    listed: tuple[Difference, ...]  # versions, revision: what a comparison is for

    @property
    def all(self) -> tuple[Difference, ...]:
        """Both, the weightier first."""
        return self.barring + self.listed

    @property
    def in_words(self) -> str:
        """What made it another queue, without the slots where their cause is named; "" if none."""
        causes = [each for each in self.barring if each.field != "slots"]
        return "; ".join(str(each) for each in causes or self.barring)


def configuration_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[Difference, ...]:
    """The fields in which two workloads differ, as far as both documents hold them."""
    shared = [name for name in WORKLOAD if name in before and name in after]
    return tuple(_differences(before, after, names=shared))


def environment_differences(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> EnvironmentDifferences:
    """What differs in slots, arq settings and host class, and in versions and revision."""
    return EnvironmentDifferences(
        barring=tuple(_differences(before, after, names=BARRING)),
        listed=tuple(_differences(before, after, names=LISTED)),
    )


def _differences(
    before: Mapping[str, Any], after: Mapping[str, Any], *, names: Iterable[str]
) -> Iterator[Difference]:
    """Fields with different values, the inside of mappings by dotted path; lacking is None."""
    for name in names:
        old, new = before.get(name), after.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            inner = sorted({*old, *new}, key=str)
            for difference in _differences(old, new, names=inner):
                yield Difference(
                    field=f"{name}.{difference.field}",
                    before=difference.before,
                    after=difference.after,
                )
        elif old != new:
            yield Difference(field=name, before=old, after=new)


def _shown(value: Any) -> str:
    if value is None:
        return "unset"
    return f"{value:.6g}" if isinstance(value, float) else f"{value!s:.60}"
