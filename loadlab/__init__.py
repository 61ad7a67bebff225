"""Load tests for arq queues; the one name that a user's own task modules import from.

from loadlab import load_task, analysis_for, celery_compatible
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workers.celery.compatible import celery_compatible
    from workers.tasks.registry import analysis_for, load_task

__all__ = ["analysis_for", "celery_compatible", "load_task"]

_HOMES = {
    "load_task": "workers.tasks.registry",
    "analysis_for": "workers.tasks.registry",
    "celery_compatible": "workers.celery.compatible",
}


def __getattr__(name: str) -> Any:
    # why lazy: importing loadlab.settings must not load the task types, nor a worker Django
    if name not in _HOMES:
        raise AttributeError(f"module 'loadlab' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
