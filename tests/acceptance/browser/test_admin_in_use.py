"""What people do in the admin, done in a real browser on a whole site."""

import re
from collections.abc import Callable

from demo_data import BOSS
from playwright.sync_api import Page, expect
from visits import Visit, log_in
from whole_site import Site

PATIENCE_MS = 45_000
expect.set_options(timeout=PATIENCE_MS)


def launch(page: Page, *, tasks: int, duration_ms: int = 50) -> str:
    """Launch sleeping tasks from the launch page; the new run's test id."""
    page.get_by_label("Task type").select_option("sleep")
    page.locator("[name=num_tasks]").fill(str(tasks))
    page.locator("[name=sleep--duration_ms]").fill(str(duration_ms))
    page.get_by_role("button", name="Start the run").click()
    return shown_run(page)


def shown_run(page: Page) -> str:
    """The run whose page this is."""
    page.wait_for_url(re.compile(r"/loadtestrun/lt_[^/]+/change/$"))
    return page.url.split("/")[-3]


def wait_until_it_ended(page: Page) -> None:
    """Its page becomes the report by itself."""
    expect(page.locator(".ll-folds #environment")).to_be_attached()


def choose(page: Page, deed: str) -> None:
    """An action of the menu, and yes."""
    page.locator(".ll-menu > summary").click()
    page.get_by_role("link", name=deed).click()
    page.get_by_role("button", name=deed).click()


def test_from_the_login_to_a_comparison(visiting: Callable[..., Visit], site: Site) -> None:
    visit = visiting(logged_in=False)
    page = visit.page
    log_in(page, site=site, name=BOSS)
    page.get_by_role("link", name="Launch a load test").click()
    the_estimate_follows(page)
    first = launch(page, tasks=300)
    it_is_watched_until_it_has_ended(visit, first)

    expect(page.locator("#headline")).to_contain_text(re.compile(r"\d+\s+tasks/s"))
    expect(page.get_by_text("No baseline yet").first).to_be_visible()
    choose(page, "Pin as baseline")
    expect(page.locator(".ll-head .ll-tag")).to_have_text("pinned")

    page.get_by_role("link", name="Run again").click()
    page.get_by_role("button", name="Run again").click()
    second = shown_run(page)
    assert second != first
    wait_until_it_ended(page)
    expect(page.locator("[data-verdict].is-chip")).to_have_text(
        re.compile("improved|unchanged|regressed|inconclusive", re.IGNORECASE)
    )

    page.get_by_role("link", name="Compare", exact=True).click()
    expect(page.locator("h1")).to_have_text("Compare A and B")
    for test_id in (first, second):
        expect(page.locator(".ll-because").first).to_contain_text(test_id)
    expect(page.locator("#runs-title ~ *, figure[data-name=runs] svg.ll-svg").first).to_be_visible()
    page.locator("#each > summary").click()
    page.locator("#each").get_by_role("link", name=second).click()
    a_task_is_opened(page, second)


def the_estimate_follows(page: Page) -> None:
    """Each change of the form brings another sentence."""
    sentence = page.locator("#estimate .ll-lead")
    page.locator("[name=num_tasks]").fill("1234")
    expect(sentence).to_contain_text("1234")
    page.get_by_label("How does it feel at this rate?").check()
    page.locator("[name=rate_per_s]").fill("7")
    expect(sentence).to_contain_text("7/s")
    expect(page.locator("[name=num_tasks]")).to_be_hidden()
    page.get_by_label("How fast can it go?").check()
    expect(sentence).to_contain_text("1234")
    page.get_by_label("Task type").select_option("sleep")
    expect(page.locator("[name=sleep--duration_ms]")).to_be_visible()
    expect(page.locator("[name=io_simulation--network_calls]")).to_be_hidden()


def it_is_watched_until_it_has_ended(visit: Visit, test_id: str) -> None:
    """Fragments come while it runs; the report asks for no more of them."""
    page, fragment = visit.page, f"/{test_id}/live/"
    expect(page.locator("#headline")).to_contain_text(re.compile(r"[1-9]\d*\s+of\s+300\s+finished"))
    expect(page.locator("progress")).to_be_visible()
    assert visit.asked_for(fragment) >= 1
    wait_until_it_ended(page)
    asked = visit.asked_for(fragment)
    page.wait_for_timeout(2_500)  # longer than from one fragment to the next
    assert visit.asked_for(fragment) == asked


def a_task_is_opened(page: Page, test_id: str) -> None:
    """From the slowest of a run to where its time went."""
    page.locator("#slowest > summary").click()
    page.locator("#slowest tbody a").first.click()
    expect(page.locator("h1")).to_have_text(re.compile(r"Task \d+ of sleep on load_test"))
    expect(page.get_by_role("region", name="Instants")).to_contain_text("enqueued")
    assert f"/{test_id}-" in page.url


def test_a_run_is_cancelled_by_two_at_once(visiting: Callable[..., Visit], site: Site) -> None:
    one, other = visiting(), visiting()
    one.page.goto(site.page("runs/loadtestrun/add/"))
    launch(one.page, tasks=900)
    other.page.goto(one.page.url)
    for each in (one, other):
        each.page.get_by_role("link", name="Cancel").click()
    for each in (one, other):
        each.page.get_by_role("button", name="Cancel").click()
    expect(other.page.locator("#headline .ll-state")).to_have_text("cancelled")
    one.page.goto(other.page.url)
    one.page.locator(".ll-menu > summary").click()
    one.page.get_by_role("link", name="Log of this run").click()
    expect(one.page.locator("#change-history")).to_contain_text("Cancelled.")


def test_a_hidden_tab_asks_for_nothing_and_a_shown_one_at_once(visit: Visit, site: Site) -> None:
    page, queues = visit.page, "/load-tests/queues/"
    page.goto(site.page("load-tests/queues/"))
    with page.expect_response(lambda response: response.url.endswith(queues)):
        pass
    page.evaluate(HIDE, True)
    page.wait_for_timeout(300)  # what was on its way has come
    asked = visit.asked_for(queues)
    page.wait_for_timeout(4_500)
    assert visit.asked_for(queues) == asked
    with page.expect_response(lambda response: response.url.endswith(queues)):
        page.evaluate(HIDE, False)


# why so: a headless browser has no window that could be behind another
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_without_javascript_a_reload_shows_how_far_it_is(
    visiting: Callable[..., Visit], site: Site
) -> None:
    page = visiting(java_script_enabled=False).page
    page.goto(site.page("runs/loadtestrun/add/"))
    test_id = launch(page, tasks=240)
    progress = set()
    while page.locator("#environment").count() == 0:
        progress.update(page.locator("#headline").all_inner_texts())
        page.wait_for_timeout(300)
        page.get_by_role("link", name="Reload").click()
    assert len(progress) > 1
    assert shown_run(page) == test_id
    expect(page.locator("figure[data-name=finished] svg.ll-svg")).to_be_visible()
    page.locator("#limits > summary").click()
    expect(page.get_by_role("region", name="Ceilings")).to_be_visible()
    expect(page.locator("[data-png]").first).to_be_hidden()


def test_a_wrong_field_says_so_and_keeps_what_was_typed(visit: Visit, site: Site) -> None:
    page = visit.page
    page.goto(site.page("runs/loadtestrun/add/"))
    page.locator("[name=num_tasks]").fill("16O")
    page.get_by_label("Task type").select_option("sleep")
    page.get_by_role("button", name="Start the run").click()
    field = page.locator("[name=num_tasks]")
    expect(page.locator("#id_num_tasks-error")).to_contain_text('You typed "16O"')
    assert (field.input_value(), field.get_attribute("aria-invalid")) == ("16O", "true")
    assert page.get_by_label("Task type").input_value() == "sleep"
    (refused,) = visit.complaints  # the browser's own line about the answer's status
    assert "400" in refused
    visit.complaints.clear()


def test_the_recommended_change_can_be_tried(visit: Visit, site: Site) -> None:
    page = visit.page
    page.goto(site.run("finished"))
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("h1")).to_contain_text("poll_delay")
    expect(page.locator(".ll-act code")).to_contain_text("loadlab try --change poll_delay=0.05")
