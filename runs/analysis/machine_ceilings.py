"""How fast can a machine be, whatever arq's loop allows? Ceilings of CPU, one thread or many.

C: CPU of a worker's main process per task; b: for how long a task blocks its event loop.
"""

import math
from collections.abc import Sequence

from runs.analysis.ceiling import Ceiling, CeilingName, Input, Situation, measured
from runs.analysis.constants import Constant, loop_cpu_with_skips, value_of

# Less than this per task is a pool at rest, not one that the task uses.
LEAST_POOL_CPU_S = 0.0001
# Of the cores: so much is left to the workers however busy loadlab was in a run of a moment.
LEAST_CORES = 0.1


def machine_ceilings(situation: Situation) -> list[Ceiling | None]:
    """`event_loop`, `process_pool`, `cpu` and `redis`; None for what was not measured.

    Where CPU limits, workers walk the queue all the time and pass the tasks that others took.
    """
    used = loop_cpu_with_skips(situation.constants, skips=situation.fleet.processes - 1)
    return [
        _loop_ceiling(situation, used=used),
        _pool_ceiling(situation),
        _cpu_ceiling(situation, used=used),
        _redis_ceiling(situation),
    ]


def on_shared_cores(ceilings: Sequence[Ceiling], *, situation: Situation) -> float:
    """What several workers reach together: X / √(1 + (X/C)²), per second.

    C: `cpu`; X: the lowest other ceiling. A worker that waits for a core starts later and so passes
    more tasks that others took, which no ceiling by itself knows: near C the lower of the two was
    measured to be a third too high, this within 15 % (docs/method.md). The lowest ceiling for a
    single worker, or where there is a core for each of them, and for Redis if it runs there.
    """
    lowest = ceilings[0].throughput_per_s
    by_name = {each.name: each.throughput_per_s for each in ceilings}
    cores = by_name.pop(CeilingName.CPU, None)
    threads = situation.fleet.processes + (situation.constants.shared_cpu_s is not None)
    if cores is None or situation.fleet.processes < 2 or threads <= situation.fleet.cores:
        return lowest
    other = min(by_name.values(), default=math.inf)
    return 1 / math.hypot(1 / other, 1 / cores)


def _loop_ceiling(situation: Situation, *, used: Constant | None) -> Ceiling | None:
    """`event_loop`: one thread per worker; what blocks it, blocks every task of the worker."""
    constants = situation.constants
    if constants.blocking_s is None and used is None:
        return None
    inputs = (
        Input(name="k", value=situation.fleet.processes, unit="workers", source="fleet"),
        *measured("C", used),
        *measured("b", constants.blocking_s),
    )
    if constants.blocking_s is None:
        held, formula = value_of(used), "k / C"
    else:
        held = constants.blocking_s.value + value_of(constants.start_s)
        formula, inputs = "k / (s + b)", (*inputs, *measured("s", constants.start_s))
    return Ceiling(
        name=CeilingName.EVENT_LOOP,
        throughput_per_s=situation.fleet.processes / held,
        formula=formula,
        inputs=inputs,
    )


def _pool_ceiling(situation: Situation) -> Ceiling | None:
    """`process_pool`: children that run one task at a time."""
    used = situation.constants.pool_cpu_s
    children = sum(each.pool_processes for each in situation.fleet.settings)
    if used is None or used.value < LEAST_POOL_CPU_S or children == 0:
        return None
    return Ceiling(
        name=CeilingName.PROCESS_POOL,
        throughput_per_s=children / used.value,
        formula="children / pool CPU per task",
        inputs=(
            Input(name="children", value=children, unit="processes", source="worker settings"),
            *measured("pool CPU", used),
        ),
    )


def _cpu_ceiling(situation: Situation, *, used: Constant | None) -> Ceiling | None:
    """`cpu`: the cores of the workers' hosts, less what loadlab itself keeps busy of them."""
    constants, cores = situation.constants, situation.fleet.cores
    if used is None or cores == 0:
        return None
    parts = (used, constants.pool_cpu_s, constants.shared_cpu_s)
    taken = constants.observer_cores
    left = max(cores - value_of(taken), LEAST_CORES * cores)
    others = measured("observer", taken, unit="cores")
    return Ceiling(
        name=CeilingName.CPU,
        throughput_per_s=left / sum(value_of(each) for each in parts),
        formula="(cores - observer) / CPU per task" if others else "cores / CPU per task",
        inputs=(
            Input(name="cores", value=cores, unit="cores", source="workers' hosts"),
            *others,
            *measured("C", used),
            *measured("pool CPU", constants.pool_cpu_s),
            *measured("Redis CPU", constants.shared_cpu_s),
        ),
    )


def _redis_ceiling(situation: Situation) -> Ceiling | None:
    """`redis`: it runs commands in one thread."""
    used = situation.constants.redis_cpu_s
    if used is None:
        return None
    return Ceiling(
        name=CeilingName.REDIS,
        throughput_per_s=1 / used.value,
        formula="1 / Redis CPU per task",
        inputs=measured("Redis CPU", used),
    )
