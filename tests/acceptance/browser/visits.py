"""A tab that somebody uses, and all that its pages said and asked for."""

from dataclasses import dataclass, field

from demo_data import PASSWORD
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request
from whole_site import Site

COMPLAINTS = {"error", "warning", "assert"}
# htmx's words for a page that was left while it was asking
LEFT = ("htmx:sendAbort", "htmx:afterRequest, [object HTMLDivElement]")
OWN = ("data:", "blob:", "about:")


@dataclass(kw_only=True)  # why no slots: the driver notes its wrappers on what listens
class Visit:
    """A tab. What it complained of and where it went outside is looked at when it is over."""

    site: Site
    page: Page
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._see)

    @property
    def outside(self) -> list[str]:
        """The addresses it asked that are not the server's."""
        return [url for url in self.asked if not url.startswith((f"{self.site.url}/", *OWN))]

    def asked_for(self, ending: str) -> int:
        """How often it asked for an address that ends so."""
        return sum(url.endswith(ending) for url in self.asked)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in COMPLAINTS and not message.text.startswith(LEFT):
            self.complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _see(self, request: Request) -> None:
        self.asked.append(request.url)


def log_in(page: Page, *, site: Site, name: str) -> None:
    """By the form that everybody sees first."""
    page.goto(site.page())
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_selector("#user-tools")


def opened(context: BrowserContext, *, site: Site) -> Visit:
    """A new tab."""
    return Visit(site=site, page=context.new_page())
