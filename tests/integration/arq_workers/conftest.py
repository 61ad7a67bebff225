"""A client of the session's own Valkey, which holds nothing when a test begins."""

from collections.abc import AsyncIterator

import pytest

from workers.client import QueueClient


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[QueueClient]:
    async with QueueClient.connect() as connected:
        yield connected
