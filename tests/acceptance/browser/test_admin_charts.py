"""Charts: drawn by the server, read and zoomed in the browser, with their figures behind them."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Download, Locator, Page, expect
from visits import Visit
from whole_site import Site

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def report(visit: Visit, site: Site) -> Page:
    """The page of a run with everything open."""
    visit.page.goto(site.run("finished"))
    open_all(visit.page)
    return visit.page


def open_all(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('#content details:not(.ll-menu)').forEach(d => d.open = true)"
    )


def figures(page: Page) -> Iterator[Locator]:
    yield from page.locator("figure.ll-chart").all()


def fetched(page: Page, link: Locator) -> Path:
    with page.expect_download() as coming:
        link.click()
    download: Download = coming.value
    return Path(download.path())


def test_every_chart_is_drawn_and_has_a_table_behind_it(report: Page) -> None:
    names = []
    for figure in figures(report):
        names.append(figure.get_attribute("data-name"))
        drawing = figure.locator("svg.ll-svg").first
        box = drawing.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["height"] > 30
        assert drawing.locator("path, line, circle, rect").count() > 2
        assert drawing.get_attribute("role") == "img"
        assert drawing.get_attribute("aria-label")
        behind = figure if figure.locator(".ll-foot").count() else report.locator("#resources")
        assert behind.locator(".ll-foot table.is-data tbody tr").count() > 1
    assert {"finished", "execution-time-ms", "history-chart", "poll"} <= set(names)
    assert len(names) >= 7


def test_every_figure_can_be_taken_away(report: Page) -> None:
    for link in report.locator(".ll-get a").all():
        rows = list(csv.reader(fetched(report, link).read_text().splitlines()))
        assert len(rows) > 2
    for button in report.locator("[data-png]").all():
        picture = fetched(report, button).read_bytes()
        assert picture.startswith(PNG)
        assert len(picture) > 3_000
        assert int.from_bytes(picture[16:20], "big") > 400  # its width


def test_the_cursor_reads_and_a_drag_zooms_all_charts_of_the_time_axis(report: Page) -> None:
    chart = report.locator("figure[data-name=finished]")
    others = report.locator("#resources figure[data-chart]")
    chart.scroll_into_view_if_needed()
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    report.mouse.move(box["x"] + box["width"] / 2, middle)
    expect(chart.locator(".ll-read")).to_contain_text("/s")
    report.mouse.move(box["x"] + 0.25 * box["width"], middle)
    report.mouse.down()
    report.mouse.move(box["x"] + 0.75 * box["width"], middle, steps=4)
    report.mouse.up()
    for figure in (chart, *others.all()):
        expect(figure).to_have_class("ll-chart is-zoomed")
    chart.locator(".u-over").dblclick()
    expect(chart).to_have_class("ll-chart")
