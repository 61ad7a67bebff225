"""What can go wrong on the arq side; every message is one sentence that carries the remedy."""


class WorkersError(Exception):
    """Base of all errors of this package."""


class InvalidSetting(WorkersError):
    """An environment variable holds a value that cannot be used."""


class InvalidParameter(WorkersError):
    """A parameter of a task type is unknown, of the wrong kind or out of range."""


class UnknownTaskType(WorkersError):
    """A task type that nobody has registered."""


class InvalidTaskType(WorkersError):
    """A decorated coroutine cannot be a task type: its signature says too little or too much."""


class TaskModuleError(WorkersError):
    """A module named in LOADLAB_TASK_MODULES cannot be used."""


class UnknownQueue(WorkersError):
    """A queue that is not one of ours."""


class RedisUnreachable(WorkersError):
    """Redis does not answer; the message says at what address, never with a password."""


class WorkerStartError(WorkersError):
    """A local worker process died, or did not report, before it could be used."""


class PoolBroken(WorkersError):
    """A child of the process pool died while it worked on a task."""


class RemoteJobError(Exception):
    """A failure that happened in a worker, as read back from Redis.

    One fixed class: the exception's own class is never imported, because whoever can write to
    Redis could name any.
    """

    def __init__(
        self,
        error_type: str,
        message: str,
        traceback: str = "",
        cause: "RemoteJobError | None" = None,
    ) -> None:
        super().__init__(error_type, message, traceback, cause)
        self.type = error_type
        self.message = message
        self.traceback = traceback
        self.cause = cause

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type
