"""People who ask the API, each with what they may."""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def api(db: None) -> Any:
    """Somebody who may do everything."""
    from callers import ALL, Caller  # why here: models exist only once Django is set up

    return Caller("ana", *ALL)


@pytest.fixture
def stranger(db: None) -> Any:
    """Nobody."""
    from rest_framework.test import APIClient

    return APIClient()


@pytest.fixture
def somebody(db: None) -> Callable[..., Any]:
    """Somebody with the named permissions."""
    from callers import Caller

    return lambda *permissions, **fields: Caller("bob", *permissions, **fields)
