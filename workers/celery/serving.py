"""What does this worker process serve, and how? Read from its arq settings class."""

import inspect
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from arq.constants import default_queue_name
from arq.utils import to_seconds
from arq.worker import Worker

from workers import ids

_OUR_PREFIX = "arq:queue:"
_DEFAULTS = {
    name: parameter.default for name, parameter in inspect.signature(Worker).parameters.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """A worker's queue, limits and functions; its name is the one in loadlab's own reports."""

    queue_key: str
    max_jobs: int
    job_timeout_s: float
    keep_result_s: float
    poll_delay_s: float
    max_tries: int
    allow_abort_jobs: bool
    functions: tuple[str, ...]
    timeouts_s: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, Any], *, functions: Mapping[str, float | None]) -> "Serving":
        """From the attributes of a settings class; what it leaves out has arq's default."""

        def setting(name: str) -> Any:
            return settings.get(name, _DEFAULTS[name])

        job_timeout_s = to_seconds(setting("job_timeout")) or 0.0
        return cls(
            queue_key=setting("queue_name") or default_queue_name,
            max_jobs=int(setting("max_jobs")),
            job_timeout_s=float(job_timeout_s),
            keep_result_s=float(to_seconds(setting("keep_result")) or 0.0),
            poll_delay_s=float(to_seconds(setting("poll_delay")) or 0.0),
            max_tries=int(setting("max_tries")),
            allow_abort_jobs=bool(setting("allow_abort_jobs")),
            functions=tuple(sorted(functions)),
            timeouts_s={
                name: float(job_timeout_s if timeout_s is None else timeout_s)
                for name, timeout_s in functions.items()
            },
        )

    @property
    def queue(self) -> str:
        """The queue's name for Celery's tools; never its Redis key, which is no list.

        why: Flower asks the length of the list of that name, and arq's queues are sorted sets.
        """
        name = self.queue_key.removeprefix(_OUR_PREFIX)
        return name if name != self.queue_key else f"arq({self.queue_key})"

    @property
    def hostname(self) -> str:
        """This process's name as a worker, as it stands in results, reports and the database."""
        return ids.worker_id()

    @property
    def software(self) -> dict[str, str]:
        """What Celery's worker events say of the software."""
        return {"sw_ident": "arq", "sw_ver": version("arq"), "sw_sys": os.uname().sysname}
