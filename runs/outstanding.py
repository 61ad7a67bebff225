"""Which tasks of a run have no row yet? One byte a task, however many there are."""

from collections.abc import Iterable

import numpy as np


class Outstanding:
    """The sequences still to be accounted for, in order; 1-based as everywhere."""

    def __init__(self, *, planned: int, accounted: Iterable[int] = ()) -> None:
        self._open = np.ones(planned + 1, dtype=bool)
        self._open[0] = False
        done = np.fromiter(accounted, dtype=np.int64)
        self._open[done] = False
        self._lowest = 1

    def settle(self, sequence: int) -> None:
        """This task has its row."""
        self._open[sequence] = False

    def is_open(self, sequence: int) -> bool:
        """Whether this is a task of the run without a row."""
        return 0 < sequence < len(self._open) and bool(self._open[sequence])

    def count(self, *, sent: int) -> int:
        """How many of the first `sent` have no row."""
        self._advance()
        return int(np.count_nonzero(self._open[self._lowest : sent + 1]))

    def chunk(self, *, after: int, sent: int, limit: int) -> list[int]:
        """The next `limit` open sequences behind `after`, none beyond `sent`."""
        self._advance()
        found: list[int] = []
        start = max(after + 1, self._lowest)
        while start <= sent and len(found) < limit:
            # why in slices: a million tasks must not be looked at for five hundred
            stop = min(sent + 1, start + 4 * limit)
            hits = np.flatnonzero(self._open[start:stop])[: limit - len(found)] + start
            found.extend(hits.tolist())
            start = stop
        return found

    def _advance(self) -> None:
        while self._lowest < len(self._open) and not self._open[self._lowest]:
            ahead = self._open[self._lowest : self._lowest + 65_536]
            step = int(np.argmax(ahead))
            self._lowest += step if ahead[step] else len(ahead)
