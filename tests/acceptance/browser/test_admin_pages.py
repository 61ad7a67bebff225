"""Every page of the admin: readable by everybody, in light and dark, wide and narrow; and safe."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, Response
from visits import Visit
from whole_site import Site

WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
GRAVE = {"serious", "critical"}
COLOURS = ("color-contrast", "link-in-text-block")
# why only the first rows of tables: each is like the others, and costs axe as much as a paragraph
OPEN_ALL = """() => {
  document.querySelectorAll("#content details").forEach((each) => { each.open = true; });
  const alike = ".is-data tbody tr:nth-child(n + 4), #content tbody tr:nth-child(n + 10)";
  document.querySelectorAll(alike).forEach((row) => row.remove());
}"""
AT_REST = "document.getAnimations().forEach((each) => each.finish())"  # of colours, that is
# why without preload: axe would write the stylesheets into the page, which its policy forbids
RUN_AXE = """async (rules) => {
  const chosen = rules.length ? {runOnly: rules} : {};
  return (await axe.run({resultTypes: ["violations"], preload: false, ...chosen})).violations;
}"""
RUNS, TASKS = "runs/loadtestrun/", "runs/taskmetric/"

PAGES: dict[str, Callable[[Site], str]] = {
    "dashboard": lambda site: site.page(),
    "launch": lambda site: site.page(f"{RUNS}add/"),
    "launch like": lambda site: site.page(f"{RUNS}add/?like={site.runs['keeping_up']}"),
    "runs": lambda site: site.page(RUNS),
    "runs filtered": lambda site: site.page(f"{RUNS}?status=completed&verdict=regressed"),
    "finished": lambda site: site.run("finished"),
    "regressed": lambda site: site.run("regressed"),
    "keeping up": lambda site: site.run("keeping_up"),
    "first of its kind": lambda site: site.run("alone"),
    "inconclusive": lambda site: site.run("inconclusive"),
    "failures": lambda site: site.run("failures"),
    "cancelled": lambda site: site.run("cancelled"),
    "failed": lambda site: site.run("failed"),
    "confirm": lambda site: site.run("finished", "pin"),
    "log": lambda site: site.run("finished", "history"),
    "try": lambda site: site.run("finished", "try"),
    "compare": lambda site: site.page(
        f"load-tests/compare/?runs={site.runs['before']},{site.runs['after']}"
    ),
    "baselines": lambda site: site.page("load-tests/baselines/"),
    "queues": lambda site: site.page("load-tests/queues/"),
    "tasks": lambda site: site.page(TASKS),
    "tasks of a run": lambda site: site.page(f"{TASKS}?run={site.runs['failures']}&state=failed"),
    "task": lambda site: site.task("finished", 1),
    "failed task": lambda site: site.task("finished", 212),
    "configurations": lambda site: site.page("runs/loadtestconfiguration/"),
    "configuration": lambda site: site.page("runs/loadtestconfiguration/1/change/"),
    "task results": lambda site: site.page("runs/taskresult/"),
    "users": lambda site: site.page("auth/user/"),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_readable_by_everybody_and_loads_nothing_from_elsewhere(
    visit: Visit, site: Site, name: str
) -> None:
    page = visit.page
    response = page.goto(PAGES[name](site))
    assert response is not None
    assert response.status == 200
    it_has_a_strict_policy(response)
    page.evaluate(OPEN_ALL)
    page.evaluate(AXE_SCRIPT)
    for size in (WIDE, NARROW):
        page.set_viewport_size(size)
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            page.evaluate(AT_REST)
            # a theme changes nothing but colours
            rules = COLOURS if theme == "dark" else ()
            assert grave(page, rules=rules) == [], (name, theme, size["width"])
        assert sideways(page) == [], name


def it_has_a_strict_policy(response: Response) -> None:
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def grave(page: Page, *, rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds serious or critical by these rules, or all, with the places."""
    found: list[dict[str, Any]] = page.evaluate(RUN_AXE, list(rules))
    return [
        f"{each['id']}: {node['target']} {node['html'][:200]} {node.get('failureSummary', '')}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


def sideways(page: Page) -> list[str]:
    """What makes the page wider than its window."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll("body *")]
            .filter((each) => each.getBoundingClientRect().right > width + 1)
            .map((each) => `${each.tagName}.${each.className}#${each.id}`).slice(0, 8);
        }"""
    )
    return found
