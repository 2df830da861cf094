"""Which pictures there are: of which page, in which look, for whom."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from playwright.sync_api import Page

SIZES = {"wide": (1440, 900), "phone": (390, 844)}


def nothing(_: Page) -> None:
    """Leave the page as it comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture. ``path`` may hold the names of ``Stage.names``; ``act`` is done before it is taken."""

    name: str
    path: str
    who: str = "admin"
    size: str = "wide"
    dark: bool = False
    act: Callable[[Page], None] = nothing

    @property
    def file(self) -> str:
        """Its file in docs/pictures."""
        return f"{self.name}.png"

    def address(self, names: Mapping[str, str]) -> str:
        """The page's address on this stage."""
        return self.path.format(**names)


def choose_two(page: Page) -> None:
    """Choose two rows, so that what can be done with them shows."""
    for box in page.locator("td input[type=checkbox]").all()[:2]:
        box.check()


def write_a_message(page: Page) -> None:
    """Write a message, so that it shows as it will be spoken."""
    page.locator("#id_initial_message").fill(
        "Hi {{ first_name }}, your order from {{ contact.company }} is ready. Shall we bring it on Friday?"
    )
    page.wait_for_timeout(1_500)


def find(page: Page) -> None:
    """Open the palette, and look for somebody."""
    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill("imogen")
    page.locator("#palette-found a, #palette-found [role=option]").first.wait_for()


PICTURES = (
    Picture(name="overview", path="/overview/"),
    Picture(name="overview-dark", path="/overview/", dark=True),
    Picture(name="overview-phone", path="/overview/", size="phone"),
    Picture(name="calls", path="/calls/"),
)
