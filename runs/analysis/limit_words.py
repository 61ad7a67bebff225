"""How is a limit said? One sentence for each ceiling that may bind."""

from runs.analysis.bottleneck import Bottleneck
from runs.analysis.ceiling import Ceiling, CeilingName
from runs.analysis.changes import Change
from runs.analysis.numbers import number, poll_seconds, rate, seconds, setting_value, times

CLOSE_TO_FULL = 0.9
SAID_OF_CORES = 0.05  # of the cores: less taken by loadlab itself is no part of a sentence
LEGEND = (
    "S is a task's run time, D how long it holds its slot, T the time between two polls, W how"
    " long the starts of one poll take, u any place in it; E[…] is the average over the tasks,"
    " ⌈…⌉ rounds up to whole polls."
)


def limited_by(found: Bottleneck, *, reached: bool) -> str:
    """Limited by poll_delay: free slots are refilled only every 0.5 s.

    `reached`: whether the run met the limit; otherwise it is said what it would be.
    """
    binding = found.binding
    if binding is None:
        return found.missing[0] if found.missing else "What limits this queue is not known."
    if binding.name is CeilingName.ARRIVALS:
        return _limited_by_arrivals(found)
    if not found.explained:
        return _not_explained(found)
    because = _BECAUSE[binding.name](binding)
    if reached:
        return f"Limited by {binding.name}: {because}."
    return f"Would be limited by {binding.name} at {rate(binding.throughput_per_s)}/s: {because}."


def change_sentence(change: Change) -> str:
    """Change poll_delay 0.5 → 0.05: predicted 148/s (2.5×), about 2 % CPU per idle worker."""
    return (
        f"Change {change.setting} {setting_value(change.old)} → {setting_value(change.new)}:"
        f" predicted {rate(change.predicted_throughput_per_s)}/s ({times(1 + change.gain)}),"
        f" {change.cost}."
    )


def promised(change: Change, *, now_per_s: float) -> str:
    """The laws promise 148/s instead of 60/s (2.5×), then limited by max_jobs."""
    return (
        f"The laws promise {rate(change.predicted_throughput_per_s)}/s instead of"
        f" {rate(now_per_s)}/s ({times(1 + change.gain)}), then limited by {change.limited_by}."
    )


def promised_at_rate(change: Change, *, now_per_s: float) -> str:
    """What a change brings to a queue that keeps up with the rate offered: not throughput.

    A task comes at any time between two polls: it waits for half a poll_delay on average.
    """
    sooner = ""
    if change.setting == "poll_delay" and change.new < change.old:
        saved = seconds((change.old - change.new) / 2)
        sooner = f" the average task done {saved} sooner, and"
    return (
        f"At this rate the queue keeps up as it is; the laws promise{sooner} room for"
        f" {rate(change.predicted_throughput_per_s)}/s instead of {rate(now_per_s)}/s."
    )


def fit_sentence(rate_per_s: float, *, found: Bottleneck) -> str:
    """40/s is 24 % of 169/s: it should keep up."""
    able = found.capacity
    if able is None:
        return "Whether it fits is not known: no ceiling could be computed."
    return fit_of_rate(rate_per_s, able_per_s=able.throughput_per_s, limit=able.name)


def fit_of_rate(rate_per_s: float, *, able_per_s: float, limit: str) -> str:
    """The same of a capacity and the name of what limits it."""
    share = rate_per_s / able_per_s
    said = f"{rate(rate_per_s)}/s is {number(100 * share)} % of {rate(able_per_s)}/s"
    if share >= 1:
        return f"{said}, which {limit} allows: it cannot keep up."
    if share > CLOSE_TO_FULL:
        return f"{said}, which {limit} allows: it keeps up only with luck, and waits grow long."
    return f"{said}: it should keep up."


def _not_explained(found: Bottleneck) -> str:
    """Where a saturated run is far from every law, the laws are not the whole truth about it."""
    binding, reached = found.ceilings[0], rate(found.reached_per_s or 0.0)
    limit = f"the lowest ceiling, {binding.name} at {rate(binding.throughput_per_s)}/s"
    if (found.reached_share or 0.0) < 1:
        return f"{reached}/s is well below {limit}: something else limits this queue."
    return f"{reached}/s is well above {limit}: an input of it was not so during the run."


def _limited_by_arrivals(found: Bottleneck) -> str:
    offered = rate(found.ceilings[0].throughput_per_s)
    able = found.capacity
    if able is None:
        return f"Limited by arrivals: {offered}/s were offered."
    share = number(100 * found.ceilings[0].throughput_per_s / able.throughput_per_s)
    return (
        f"Limited by arrivals: {offered}/s were offered, {share} % of the"
        f" {rate(able.throughput_per_s)}/s that {able.name} would allow."
    )


def _input(ceiling: Ceiling, name: str) -> float:
    return next((each.value for each in ceiling.inputs if each.name == name), 0.0)


def _poll_delay(ceiling: Ceiling) -> str:
    return f"free slots are refilled only every {poll_seconds(_input(ceiling, 'd'))}"


def _max_jobs(ceiling: Ceiling) -> str:
    slots, mean = _input(ceiling, "max_jobs"), _input(ceiling, "E[S]")
    return f"all {number(slots)} slots are taken, for {seconds(mean)} by a task"


def _read_limit(ceiling: Ceiling) -> str:
    ids, delay = _input(ceiling, "Q"), _input(ceiling, "d")
    return f"a poll reads no more than {number(ids)} tasks, every {poll_seconds(delay)}"


def _shared_read_limit(ceiling: Ceiling) -> str:
    ids, workers = _input(ceiling, "Q"), _input(ceiling, "k")
    return f"{number(workers)} workers read the same {number(ids)} tasks, so no more can run"


def _start(ceiling: Ceiling) -> str:
    cost = _input(ceiling, "s")
    return f"a worker starts one task after another, {seconds(cost)} each"


def _event_loop(ceiling: Ceiling) -> str:
    held = _input(ceiling, "b") or _input(ceiling, "C")
    return f"a task holds its worker's only thread for {seconds(held)}"


def _process_pool(ceiling: Ceiling) -> str:
    children, used = _input(ceiling, "children"), _input(ceiling, "pool CPU")
    return f"{number(children)} processes run one task at a time, {seconds(used)} of CPU each"


def _cpu(ceiling: Ceiling) -> str:
    used = sum(each.value for each in ceiling.inputs if each.unit == "s")
    cores, taken = _input(ceiling, "cores"), _input(ceiling, "observer")
    said = f"a task takes {seconds(used)} of CPU, and there are {number(cores)} cores"
    return (
        said
        if taken < SAID_OF_CORES * cores
        else f"{said}, {number(taken, digits=1)} taken by loadlab"
    )


def _redis(ceiling: Ceiling) -> str:
    used = _input(ceiling, "Redis CPU")
    return f"its one thread spends {seconds(used)} on a task"


_BECAUSE = {
    CeilingName.POLL_DELAY: _poll_delay,
    CeilingName.MAX_JOBS: _max_jobs,
    CeilingName.QUEUE_READ_LIMIT: _read_limit,
    CeilingName.FLEET_QUEUE_READ_LIMIT: _shared_read_limit,
    CeilingName.START_ROUND_TRIPS: _start,
    CeilingName.EVENT_LOOP: _event_loop,
    CeilingName.PROCESS_POOL: _process_pool,
    CeilingName.CPU: _cpu,
    CeilingName.REDIS: _redis,
}
