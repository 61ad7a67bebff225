"""Which browser do the tests drive? The Chromium that is there, else one that can be installed.

`python tests/acceptance/browser/chromium.py` sees to it before the tests begin.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
SORRY = (
    "The browser tests need Chromium, and none could be installed: install it (Debian: "
    "apt install chromium), or let `{python} -m playwright install chromium` reach its host."
)


@contextmanager
def started(**environment: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=of_the_system(), args=flags(), env={**os.environ, **environment}
        )
        try:
            yield browser
        finally:
            browser.close()


def of_the_system() -> Path | None:
    """The Chromium that somebody has installed."""
    programs = (shutil.which(name) for name in NAMES)
    return next((Path(program) for program in programs if program), None)


def found() -> Path | None:
    """The system's Chromium, else the one that the driver has brought."""
    if (program := of_the_system()) is not None:
        return program
    with sync_playwright() as driver:
        own = Path(driver.chromium.executable_path)
    return own if own.exists() else None


def ensure() -> Path:
    """A Chromium; SystemExit with one sentence where there is none and none can be had."""
    for install in (None, _by_apt, _by_the_driver):
        if install is not None:
            install()
        if (program := found()) is not None:
            return program
    raise SystemExit(SORRY.format(python=sys.executable))


def flags() -> list[str]:
    """How it is started; root may not have a sandbox."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def _by_apt() -> None:
    """Debian's package, where we may install one."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    ):
        subprocess.run(command, env=quiet, stdout=subprocess.DEVNULL, check=False)


def _by_the_driver() -> None:
    """The driver's own download."""
    subprocess.run(
        (sys.executable, "-m", "playwright", "install", "chromium"),
        stdout=subprocess.DEVNULL,
        check=False,
    )


if __name__ == "__main__":
    sys.stdout.write(f"{ensure()}\n")
