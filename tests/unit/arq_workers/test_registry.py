"""Task types: the built-in six, the user's own, each once and by name."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.errors import InvalidTaskType, TaskModuleError, UnknownQueue, UnknownTaskType
from workers.tasks import registry
from workers.tasks.counting import COUNTS

BUILT_IN = {
    "cpu_intensive": ("cpu_intensive_task", 50),
    "io_simulation": ("io_simulation_task", 100),
    "memory_operations": ("memory_operations_task", 200),
    "sleep": ("sleep", 100),
    "noop": ("noop", 100),
    "failure_testing": ("failure_testing", 100),
}
PUBLISHED_METRICS = {
    "cpu_intensive": {
        "operations_per_ms",
        "fibonacci_result",
        "cpu_operations",
        "execution_time_ms",
    },
    "io_simulation": {
        "io_efficiency_percent",
        "concurrency_benefit",
        "total_io_time_ms",
        "parallel_speedup",
    },
    "memory_operations": {
        "estimated_peak_memory_mb",
        "memory_throughput_mb_per_sec",
        "allocations_count",
        "gc_collections",
    },
    "sleep": {"slept_ms", "overshoot_ms"},
    "failure_testing": {"failure_kind"},
}


@pytest.fixture
def module_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose modules LOADLAB_TASK_MODULES may name; nothing of it stays registered."""
    types, analyses = dict(registry._registered), dict(registry._analyses)
    loaded, modules = set(registry._loaded), set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for kept, now in ((types, registry._registered), (analyses, registry._analyses)):
        now.clear()  # type: ignore[attr-defined]
        now.update(kept)  # type: ignore[attr-defined]
    registry._loaded.clear()
    registry._loaded.update(loaded)
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def use(folder: Path, name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{name}.py").write_text(source)
    monkeypatch.setenv("LOADLAB_TASK_MODULES", name)


def test_the_built_in_types_are_there() -> None:
    types = registry.task_types()
    assert {n: (types[n].function, types[n].default_tasks) for n in BUILT_IN} == BUILT_IN
    for name in BUILT_IN:
        assert types[name].summary


@pytest.mark.parametrize("name", sorted(PUBLISHED_METRICS))
def test_every_published_metric_has_a_formula(name: str) -> None:
    metrics = {metric.name: metric for metric in registry.task_type(name).metrics}
    assert metrics.keys() >= PUBLISHED_METRICS[name]
    assert all(metric.formula for metric in metrics.values())


def test_every_parameter_says_what_it_means() -> None:
    for kind in registry.task_types().values():
        for parameter in kind.parameters:
            assert parameter.meaning, f"{kind.name}.{parameter.name}"


def test_an_unknown_type_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownTaskType, match=r"did you mean cpu_intensive\?"):
        registry.task_type("cpu_intensiv")


async def test_a_users_own_type_and_analysis(
    module_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = '''
from loadlab import analysis_for, load_task

@load_task("custom_load_test", queue="media", timeout_s=5)
async def custom(ctx, *, rows: int = 10) -> dict:
    """Counts rows."""
    return {"rows": rows}

@analysis_for("custom_load_test")
def analyse(results: list[dict]) -> dict:
    return {"rows": sum(result["rows"] for result in results)}
'''
    use(module_folder, "own_tasks", source, monkeypatch)
    kind = registry.task_type("custom_load_test")
    assert (kind.function, kind.queue, kind.timeout_s) == ("custom_load_test", "media", 5)
    assert kind.summary == "Counts rows."
    analyse = registry.analysis_of("custom_load_test")
    assert analyse is not None
    assert analyse([{"rows": 2}, {"rows": 3}]) == {"rows": 5}
    served = {function.name: function for function in registry.arq_functions()}
    done_before = COUNTS.done
    # the dispatcher gives every task the seed; one that does not take it never sees it
    assert await served["custom_load_test"].coroutine({}, rows=4, seed=1) == {"rows": 4}
    assert (COUNTS.done, COUNTS.running) == (done_before + 1, 0)


async def test_failures_are_counted_too() -> None:
    served = {function.name: function for function in registry.arq_functions()}
    failed_before = COUNTS.failed
    with pytest.raises(Exception, match="chosen to raise"):
        await served["failure_testing"].coroutine(
            {"job_id": "lt_x-0000001"}, failure_rate=1.0, failure_kind="raise", work_ms=0.0, seed=0
        )
    assert (COUNTS.failed, COUNTS.running) == (failed_before + 1, 0)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("def", "SyntaxError"),
        ("raise RuntimeError('broken')", "broken"),
        ("from loadlab import load_task\n@load_task('x')\ndef f(ctx): ...", "async def"),
        (
            "from loadlab import load_task\n@load_task('noop')\nasync def f(ctx): ...",
            "already taken",
        ),
    ],
)
def test_a_module_that_cannot_be_used_is_named(
    module_folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, word: str
) -> None:
    use(module_folder, "broken_tasks", source, monkeypatch)
    with pytest.raises(TaskModuleError, match=f"'broken_tasks'.*{word}"):
        registry.task_types()


def test_a_module_is_tried_again_once_it_is_mended(
    module_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(module_folder, "mended_tasks", "import nothing_of_that_name", monkeypatch)
    with pytest.raises(TaskModuleError):
        registry.task_types()
    use(
        module_folder,
        "mended_tasks",
        "from loadlab import load_task\n@load_task('mended')\nasync def f(ctx): ...  # longer now",
        monkeypatch,
    )
    assert "mended" in registry.task_types()


def test_a_type_needs_a_queue_of_ours_and_a_coroutine() -> None:
    with pytest.raises(UnknownQueue, match="load_test, system, media"):
        registry.load_task("x", queue="production")
    with pytest.raises(InvalidTaskType, match="async def"):
        registry.load_task("x")(print)
