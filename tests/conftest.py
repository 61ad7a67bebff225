"""Every session has servers, data and settings of its own; the user's are never touched."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django.conf
import hypothesis
import pytest
import redis

from loadlab import embedded

TIERS = ("unit", "integration", "acceptance")
TESTS = Path(__file__).parent


def _settings_of_our_own() -> Path:
    for name in list(os.environ):
        if name.startswith("LOADLAB_") or name in {"SECRET_KEY", "DEBUG", "ALLOWED_HOSTS"}:
            del os.environ[name]
    # why empty and not deleted: a `.env` of the checkout fills in what is missing
    os.environ |= {"DATABASE_URL": "", "REDIS_URL": ""}
    # why not TMPDIR: the path of a unix socket holds 107 bytes
    folder = Path(tempfile.mkdtemp(prefix="loadlab-test-", dir="/tmp"))
    os.environ["LOADLAB_VAR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "loadlab.settings"
    return folder


def _clear_away(folder: Path, starter: int) -> None:
    if os.getpid() == starter:  # why: a forked child inherits what is to be done at exit
        os.environ["LOADLAB_VAR"] = str(folder)
        embedded.stop()
        shutil.rmtree(folder)


# why at import: the settings, loaded next, read these variables; why at exit: also after Ctrl-C
atexit.register(_clear_away, _settings_of_our_own(), os.getpid())
assert django.conf.settings.DATABASES["default"]["ENGINE"] == "loadlab.embedded"


# why: how long an example takes depends on what else the machine does
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    for tier in TIERS:
        config.addinivalue_line("markers", f"{tier}: a test in tests/{tier}")


@pytest.hookimpl(trylast=True)  # after the order was shuffled
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for tier in TIERS:
            if item.path.is_relative_to(TESTS / tier):
                item.add_marker(tier)
    # why: where files run side by side, what takes minutes must not be left for last
    items.sort(key=lambda item: "acceptance" not in item.keywords)


@pytest.fixture
def redis_url() -> Iterator[str]:
    """The URL of a Valkey that holds nothing."""
    url = embedded.valkey_url()
    with redis.Redis.from_url(url) as connection:
        connection.flushall()
        yield url
