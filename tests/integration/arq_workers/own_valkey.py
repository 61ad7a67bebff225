"""A Valkey of a test's own, to be stopped, killed and started again."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from loadlab import embedded


@dataclass
class OwnValkey:
    """A Valkey that a test may stop, kill and start again."""

    url: str
    var: Path

    @property
    def pid(self) -> int:
        with redis.Redis.from_url(self.url) as connection:
            return int(connection.info("server")["process_id"])

    def start(self) -> None:
        """As the product does: the embedded server of a folder of its own."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOADLAB_VAR", str(self.var))
            embedded.ensure_valkey()

    def stop(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LOADLAB_VAR", str(self.var))
            embedded.stop()
