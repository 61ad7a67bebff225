"""Memory: large structures, growing ones, objects that come and go, garbage in cycles.

Measured in the process that does the work, which runs one task at a time. Nothing is traced:
tracemalloc would make the work 6.6 times slower.
"""

import gc
import random
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from workers.pool import run_apart
from workers.tasks.registry import Between, Meaning, Metric, load_task

MB = 1_000_000  # bytes
BLOCK_BYTES = 65_536

METRICS = (
    Metric(
        name="estimated_peak_memory_mb",
        unit="MB",
        formula="sum of sys.getsizeof over the blocks, texts, containers and nodes that the task "
        "holds when it holds most, / 10⁶; without the allocator's own overhead, hence estimated",
    ),
    Metric(
        name="memory_throughput_mb_per_sec",
        unit="MB/s",
        formula="bytes written into new blocks and copied from block to block / the time that took",
    ),
    Metric(
        name="allocations_count",
        unit="objects",
        formula="objects that the task made, counted where it makes them: blocks, copies, texts, "
        "lists, dictionaries, nodes",
    ),
    Metric(
        name="gc_collections",
        unit="collections",
        formula="runs of the garbage collector during the task, all generations "
        "(gc.get_stats after − before), its own final one among them",
    ),
    Metric(
        name="gc_collected_objects",
        unit="objects",
        formula="objects in unreachable cycles that those runs freed",
    ),
    Metric(
        name="execution_time_ms",
        unit="ms",
        formula="monotonic clock after − before the work, in the process that does it",
    ),
    Metric(
        name="pool_wait_ms",
        unit="ms",
        formula="from the task's start until a child of the process pool took it; "
        "0 with block_event_loop",
    ),
)


@load_task(
    "memory_operations",
    function="memory_operations_task",
    default_tasks=200,
    metrics=METRICS,
    summary="allocates: large blocks, growing structures, short-lived objects, cycles",
)
async def memory_operations(
    ctx: dict[Any, Any],
    *,
    structure_mb: Annotated[
        float, Between(0, 512, unit="MB", meaning="size of the large blocks; copies double it")
    ] = 4.0,
    entries: Annotated[
        int, Between(0, 1_000_000, meaning="entries of a growing list and dictionary")
    ] = 10_000,
    objects: Annotated[
        int, Between(0, 1_000_000, meaning="linked nodes, half of them left in cycles")
    ] = 10_000,
    block_event_loop: Annotated[
        bool, Meaning("work in the event loop, the mistake to see, not in the process pool")
    ] = False,
    seed: int = 0,
) -> dict[str, Any]:
    """Allocate in the process pool; the same parameters and seed make the same objects."""
    return await run_apart(
        ctx,
        allocate,
        block_event_loop=block_event_loop,
        parameters={
            "structure_mb": structure_mb,
            "entries": entries,
            "objects": objects,
            "seed": seed,
        },
    )


@dataclass(slots=True)
class Node:
    """An object of a linked structure."""

    key: int
    other: "Node | None" = None


@dataclass(slots=True)
class _Ledger:
    """What a task has made and written so far."""

    allocations: int = 0
    bytes_written: int = 0
    held_bytes: int = 0
    held: list[Any] = field(default_factory=list)

    def hold(self, *objects: object, parts: Iterable[object] = ()) -> None:
        """Keep these objects and add their sizes, and those of the parts that they hold."""
        self.held.extend(objects)
        self.held_bytes += sum(map(sys.getsizeof, objects)) + sum(map(sys.getsizeof, parts))


def allocate(*, structure_mb: float, entries: int, objects: int, seed: int) -> dict[str, Any]:
    """Do the work and measure it."""
    # why: whatever was due before must not count for this task
    gc.collect()
    before = _collector_totals()
    ledger = _Ledger()
    started = time.perf_counter()
    _large_structures(ledger, size_bytes=int(structure_mb * MB), seed=seed)
    moving_s = time.perf_counter() - started
    _growing_structures(ledger, entries=entries)
    _life_cycle(ledger, objects=objects)
    peak_bytes = ledger.held_bytes
    ledger.held.clear()
    gc.collect()
    elapsed_ms = (time.perf_counter() - started) * 1000
    after = _collector_totals()
    return {
        "estimated_peak_memory_mb": peak_bytes / MB,
        "memory_throughput_mb_per_sec": ledger.bytes_written / MB / moving_s,
        "allocations_count": ledger.allocations,
        "gc_collections": after[0] - before[0],
        "gc_collected_objects": after[1] - before[1],
        "execution_time_ms": elapsed_ms,
    }


def _large_structures(ledger: _Ledger, *, size_bytes: int, seed: int) -> None:
    """Blocks filled with a seeded pattern, then a copy of each."""
    pattern = random.Random(f"memory:{seed}").randbytes(256)  # noqa: S311 - not a secret
    repeats = BLOCK_BYTES // len(pattern)
    blocks = [pattern * repeats for _ in range(size_bytes // BLOCK_BYTES)]
    copies = [bytearray(block) for block in blocks]
    ledger.allocations += len(blocks) + len(copies) + 2
    ledger.bytes_written += BLOCK_BYTES * (len(blocks) + len(copies))
    ledger.hold(blocks, copies, parts=[*blocks, *copies])


def _growing_structures(ledger: _Ledger, *, entries: int) -> None:
    """A list and a dictionary that grow entry by entry."""
    texts: list[str] = []
    index: dict[str, list[int]] = {}
    for number in range(entries):
        name = f"entry-{number:08d}"
        texts.append(name)
        index[name] = [number]
    ledger.allocations += 2 * entries + 2
    ledger.hold(texts, index, parts=[*texts, *index.values()])


def _life_cycle(ledger: _Ledger, *, objects: int) -> None:
    """Pairs of nodes: every other pair points at each other and is dropped, the rest lives on."""
    living: list[Node] = []
    for number in range(objects // 2):
        node, other = Node(number), Node(-number)
        node.other = other
        if number % 2:
            living.append(node)
        else:
            other.other = node  # a cycle: nobody but the collector can free it
    ledger.allocations += 2 * (objects // 2) + 1
    ledger.hold(living, parts=[*living, *(node.other for node in living)])


def _collector_totals() -> tuple[int, int]:
    """Runs of the garbage collector so far, and objects that it freed."""
    generations = gc.get_stats()
    return (
        sum(generation["collections"] for generation in generations),
        sum(generation["collected"] for generation in generations),
    )
