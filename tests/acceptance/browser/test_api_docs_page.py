"""The page of the API's documentation in a browser: whole, silent, and asking no other host."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

sys.path.append(str(Path(__file__).parents[1] / "api"))  # a folder that this pytest call leaves out

from service import ALL, Service


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service() as running:
        yield running.prepare().web()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.context.close()


def test_every_operation_is_shown_and_one_can_be_tried(service: Service, page: Page) -> None:
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{service.url}/api/docs/")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() >= 18

    token = service.token_of("ana", *ALL)
    page.locator(".authorize").first.click()
    by_token = page.locator(".auth-container").filter(has_text="tokenAuth")
    by_token.locator("input").fill(f"Token {token}")
    by_token.locator(".authorize").click()
    page.locator(".btn-done").first.click()
    page.locator("#operations-Launch-launch_small .opblock-summary-control").click()
    page.locator("#operations-Launch-launch_small .try-out__btn").click()
    page.locator("#operations-Launch-launch_small .execute").click()
    answered = "#operations-Launch-launch_small .live-responses-table .response-col_status"
    page.wait_for_selector(f"{answered}:not(thead *)")
    assert page.locator(answered).last.inner_text().startswith("202")

    assert not said
    assert all(url.startswith((service.url, "data:")) for url in asked)
