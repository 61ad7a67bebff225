"""Takes the pictures of docs/screenshots/: the pages of the admin on a whole site.

`make screenshots` runs it. The site has servers and data of its own, so what anybody runs in this
checkout is neither shown nor touched.
"""

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from chromium import ensure, started
from demo_data import BOSS, CHECKOUT
from playwright.sync_api import Browser, Page, expect
from visits import log_in
from whole_site import Site, whole_site

from loadlab import embedded

FOLDER = CHECKOUT / "docs" / "screenshots"
WIDE, NARROW = 1280, 390
THEMES = ("light", "dark")
COMPARED = "load-tests/compare/?runs={before},{after}"
# why: the admin asks for the system's own font, which on a server is whatever there is; this one is
# the next that it asks for
FONT = """<match target="pattern"><test name="family"><string>{name}</string></test>
<edit name="family" mode="assign" binding="strong"><string>Roboto</string></edit></match>"""
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>{ours}<include>/etc/fonts/fonts.conf</include></fontconfig>"""
PLAIN = ("system-ui", "sans", "sans-serif", "DejaVu Sans")
AT_REST = "document.getAnimations().forEach((each) => each.finish())"  # of colours, that is
UNDER_WAY = re.compile(r"[3-6]\d\d\s+of\s+1000\s+finished")
OPEN = "(ids) => ids.forEach((id) => { document.getElementById(id).open = true; })"


def main() -> None:
    """Start, look, stop."""
    ensure()
    FOLDER.mkdir(exist_ok=True)
    with own_servers() as folder, whole_site(folder) as site, _browser(folder) as browser:
        page = browser.new_page(viewport={"width": WIDE, "height": 800})
        log_in(page, site=site, name=BOSS)
        while_a_run_is_under_way(page, site)
        of_what_has_ended(page, site)
    for picture in sorted(FOLDER.glob("*.png")):
        sys.stdout.write(f"{picture.stat().st_size // 1000:4} kB  {picture.name}\n")


def while_a_run_is_under_way(page: Page, site: Site) -> None:
    """Launch, running, and what dashboard and queues show meanwhile."""
    page.goto(f"{site.page('runs/loadtestrun/add/')}?like={site.runs['finished']}")
    taken(page, "launch", themes=THEMES, narrow=True)
    page.goto(f"{site.page('runs/loadtestrun/add/')}?like={site.runs['keeping_up']}")
    taken(page, "launch-rate")
    page.goto(f"{site.page('runs/loadtestrun/add/')}?preset=large")
    page.locator("[name=num_tasks]").fill("16O")
    page.get_by_role("button", name="Start the run").click()
    page.wait_for_selector(".errornote")
    taken(page, "launch-error")
    page.goto(f"{site.page('runs/loadtestrun/add/')}?like={site.runs['finished']}")
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#headline")).to_contain_text(UNDER_WAY, timeout=60_000)
    taken(page, "running", themes=THEMES, narrow=True)
    page.goto(site.page("load-tests/queues/"))
    taken(page, "queues", themes=THEMES, narrow=True)
    page.goto(site.page())
    taken(page, "dashboard", themes=THEMES, narrow=True)


def of_what_has_ended(page: Page, site: Site) -> None:
    """Reports, comparison, baselines, a task."""
    for name, themes, narrow in (
        ("finished", THEMES, True),
        *((name, ("light",), False) for name in ("regressed", "keeping_up", "failures")),
    ):
        page.goto(site.run(name))
        taken(page, name.replace("_", "-"), themes=themes, narrow=narrow)
    page.goto(site.run("regressed"))
    page.evaluate(OPEN, ["limits"])
    taken(page, "evidence")
    page.goto(site.page(COMPARED.format(**site.runs)))
    taken(page, "compare", themes=THEMES, narrow=True)
    page.goto(site.page("load-tests/baselines/"))
    taken(page, "baselines", themes=THEMES, narrow=True)
    page.goto(site.task("finished", 212))
    taken(page, "task", themes=THEMES)


def taken(
    page: Page, name: str, *, themes: tuple[str, ...] = ("light",), narrow: bool = False
) -> None:
    """Pictures of a page as it is, whole."""
    for theme in themes:
        seen: Any = theme
        page.emulate_media(color_scheme=seen)
        page.evaluate(AT_REST)
        page.screenshot(path=FOLDER / f"{name}-{theme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    page.evaluate(AT_REST)
    if narrow:
        page.set_viewport_size({"width": NARROW, "height": 800})
        page.screenshot(path=FOLDER / f"{name}-narrow.png", full_page=True)
        page.set_viewport_size({"width": WIDE, "height": 800})


def _browser(folder: Path) -> AbstractContextManager[Browser]:
    """One that writes in Roboto, where it is installed."""
    fonts = folder / "fonts.conf"
    fonts.write_text(FONTS.format(ours="".join(FONT.format(name=name) for name in PLAIN)))
    return started(FONTCONFIG_FILE=str(fonts))


@contextmanager
def own_servers() -> Iterator[Path]:
    """PostgreSQL and Valkey for the time of a block, in a folder that is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="loadlab-pictures-", dir="/tmp"))
    os.environ |= {"LOADLAB_VAR": str(folder), "DATABASE_URL": "", "REDIS_URL": ""}
    try:
        yield folder
    finally:
        embedded.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
