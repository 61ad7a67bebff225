"""One whole site and one browser for all tests of this folder: each takes seconds to start."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from chromium import started
from demo_data import BOSS
from playwright.sync_api import Browser
from visits import Visit, log_in, opened
from whole_site import Site, whole_site

Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Web, dispatcher, collector and workers, with some weeks of runs."""
    with whole_site(tmp_path_factory.mktemp("site")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def cookies(site: Site, browser: Browser) -> Any:
    """Those of somebody who has logged in and may do everything."""
    with browser.new_context() as context:
        log_in(context.new_page(), site=site, name=BOSS)
        return context.storage_state()


@pytest.fixture
def visiting(site: Site, browser: Browser, cookies: Any) -> Iterator[Visiting]:
    """Opens tabs: `visiting(logged_in=True, viewport=…)`; none may complain or ask outside."""
    visits: list[Visit] = []

    def visit(*, logged_in: bool = True, **options: Any) -> Visit:
        state = cookies if logged_in else None
        context = browser.new_context(storage_state=state, reduced_motion="reduce", **options)
        visits.append(opened(context, site=site))
        return visits[-1]

    yield visit
    for each in visits:
        each.page.context.close()
    assert [each.complaints for each in visits if each.complaints] == []
    assert [each.outside for each in visits if each.outside] == []


@pytest.fixture
def visit(visiting: Visiting) -> Visit:
    """A tab of somebody who has logged in."""
    return visiting()
