"""Valkeys: the session's, which holds nothing when a test begins, and one to maltreat."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from own_valkey import OwnValkey

from workers.client import QueueClient


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[QueueClient]:
    async with QueueClient.connect() as connected:
        yield connected


@pytest.fixture
def own_valkey(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnValkey]:
    """A Valkey of the test's own, named by REDIS_URL."""
    # why not tmp_path: the path of a unix socket holds 107 bytes
    var = Path(tempfile.mkdtemp(prefix="loadlab-own-", dir="/tmp"))
    own = OwnValkey(url=f"unix://{var}/run/valkey.sock?db=0", var=var)
    own.start()
    monkeypatch.setenv("REDIS_URL", own.url)
    try:
        yield own
    finally:
        own.stop()
        shutil.rmtree(var)
