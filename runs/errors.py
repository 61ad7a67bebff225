"""What can go wrong, named for its cause; the message of each carries the remedy."""

from collections.abc import Mapping


class LoadLabError(Exception):
    """The parent of all: `exit_code` is what a command that meets it exits with."""

    exit_code = 1


class InvalidSpec(LoadLabError):
    """What was asked for cannot be done: one sentence per field, nothing was sent or stored."""

    exit_code = 2

    def __init__(self, fields: Mapping[str, str]) -> None:
        self.fields = dict(fields)
        super().__init__("; ".join(self.fields.values()))


class UnknownRun(LoadLabError):
    """No run of that id is stored."""

    exit_code = 2

    def __init__(self, test_id: str) -> None:
        self.test_id = test_id
        super().__init__(
            f"There is no load test {test_id!r}: `loadlab list` shows those there are."
        )


class NotAllowedNow(LoadLabError):
    """The run's state does not allow what was asked: a finished run cannot be cancelled, say."""

    exit_code = 2


class TooManyWaiting(LoadLabError):
    """One person has as many runs waiting as one may have."""

    exit_code = 2


class KeyReused(NotAllowedNow):
    """An idempotency key came with another launch than the one it was first sent with."""


class TooBigForRedis(LoadLabError):
    """The run would not fit into what Redis may still use, or Redis might evict its tasks."""


class LeaseLost(LoadLabError):
    """Another process has taken this run over: stop at once, touch nothing."""
