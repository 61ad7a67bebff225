"""A user's task module, and arq workers in processes of their own."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from django.db import connections

from workers.tasks import registry


@pytest.fixture
def counting_tasks(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The task type `count_executions`, here and in every worker process; gone afterwards."""
    registry.task_types()  # why: the built-in types register once, at their import
    before = dict(registry._registered), set(registry._loaded)
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("LOADLAB_TASK_MODULES", "counting_tasks")
    yield "count_executions"
    registry._registered.clear()
    registry._registered.update(before[0])
    registry._loaded.clear()
    registry._loaded.update(before[1])
    sys.modules.pop("counting_tasks", None)


@pytest_asyncio.fixture
async def orm_thread() -> AsyncIterator[None]:
    """Close the connection of the thread on which an async test used the ORM."""
    yield
    await sync_to_async(connections.close_all)()
