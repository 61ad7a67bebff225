"""`load_test cpu|io|memory`: a run of one task type in its usual size."""

from dataclasses import dataclass
from typing import Any

from runs.cli.parser import SentenceParser
from runs.cli.run import carry_out
from runs.cli.run_options import add_conduct_arguments, add_workload_arguments
from runs.cli.screen import Screen


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A subcommand that fixes the task type; how many tasks are usual is the type's to say."""

    NAME: str
    SUMMARY: str
    task_type: str

    def add_arguments(self, parser: SentenceParser) -> None:
        """Those of `run`, without the type."""
        add_workload_arguments(parser)
        add_conduct_arguments(parser)

    def handle(self, options: dict[str, Any], *, screen: Screen) -> int | None:
        """Run it."""
        return carry_out(options, task_type=self.task_type, screen=screen)


CPU = Preset(NAME="cpu", SUMMARY="run 50 CPU-bound tasks", task_type="cpu_intensive")
IO = Preset(
    NAME="io", SUMMARY="run 100 tasks that wait for simulated I/O", task_type="io_simulation"
)
MEMORY = Preset(
    NAME="memory", SUMMARY="run 200 tasks that fill memory", task_type="memory_operations"
)
