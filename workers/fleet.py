"""Which workers serve a queue, and how are they? What a worker process says of itself, read back.

A worker writes both documents once a second with a time to live (`workers.heartbeat`), so whoever
reads them knows that it is alive. They are read as hostile input: types and ranges are checked.
"""

from typing import Annotated

import msgspec

from workers.ids import beat_key, description_key

TIME_TO_LIVE_S = 15
MAX_BYTES = 65_536

Text = Annotated[str, msgspec.Meta(max_length=300, pattern="^[^\x00]*$")]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Slots = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e9)]
Offset = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)]
Epoch = Annotated[float, msgspec.Meta(ge=0, le=253_402_300_799)]


class FleetSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The arq settings of a worker; `in_progress_timeout_s` = the longest timeout + 10 s."""

    max_jobs: Slots
    poll_delay_s: Seconds
    queue_read_limit: Slots
    job_timeout_s: Seconds
    keep_result_s: Seconds
    max_tries: Slots
    health_check_interval_s: Seconds
    keep_result_forever: bool
    allow_abort_jobs: bool
    retries_os_errors: bool
    in_progress_timeout_s: Seconds
    pool_processes: Count


class HostClass(msgspec.Struct, frozen=True, kw_only=True):
    """The kind of machine; `cores` are those that the process may use."""

    cpu_model: Text
    cores: Count
    memory_bytes: Count


class WorkerDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while a worker process lives; `started_at` is the epoch in seconds."""

    worker_id: Text
    host: Text
    pid: Count
    queue: Text
    started_at: Epoch
    settings: FleetSettings
    host_class: HostClass
    versions: dict[Text, Text]
    revision: Text
    loop: Text
    functions: Annotated[list[Text], msgspec.Meta(max_length=1_000)]


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker process was at one heartbeat.

    `cpu_s`, `pool_cpu_s`: CPU seconds of the main process and of its pool since their start.
    `cpu_percent`: both, over the wall time since the previous beat; 100 is one core.
    `rss_bytes`: resident memory of both.
    `round_trip_s`: the quickest of this beat's round trips to Redis.
    `loop_lag_s`: the worst lateness of a tick of the event loop since the previous beat.
    `stolen_s`: for how long, by core, the host's hypervisor has given its CPU to others.
    `clock_offset_s`: this process's clock − Redis's clock, ± `clock_error_s` (half a round trip).
    """

    at: Epoch
    jobs_running: Count
    jobs_done: Count
    jobs_failed: Count
    cpu_s: Seconds
    pool_cpu_s: Seconds
    cpu_percent: Annotated[float, msgspec.Meta(ge=0, le=1e6)]
    rss_bytes: Count
    round_trip_s: Seconds
    loop_lag_s: Seconds
    clock_offset_s: Offset
    clock_error_s: Seconds
    stolen_s: Seconds = 0.0


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """A live worker process: what it is and how it is."""

    description: WorkerDescription
    beat: Beat


def report_keys(worker_id: str) -> tuple[str, str]:
    """The Redis keys that hold the two documents of a worker."""
    return description_key(worker_id), beat_key(worker_id)


def decode_report(
    worker_id: str, *, description: bytes | None, beat: bytes | None
) -> WorkerReport | None:
    """The report that Redis holds of a worker; None where it is gone or cannot be believed."""
    if not description or not beat or len(description) > MAX_BYTES or len(beat) > MAX_BYTES:
        return None
    try:
        report = WorkerReport(
            description=_description_decoder.decode(description), beat=_beat_decoder.decode(beat)
        )
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return report if report.description.worker_id == worker_id else None


_description_decoder = msgspec.json.Decoder(WorkerDescription)
_beat_decoder = msgspec.json.Decoder(Beat)
