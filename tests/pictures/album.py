"""Which pictures there are: of which page, in which look."""

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
    size: str = "wide"
    dark: bool = False
    act: Callable[[Page], None] = nothing

    @property
    def file(self) -> str:
        """Its file in docs/pictures."""
        return f"{self.name}.webp"

    def address(self, names: Mapping[str, str]) -> str:
        """The page's address on this stage."""
        return self.path.format(**names)


def choose_two(page: Page) -> None:
    """Choose two rows, so that what can be done with them shows."""
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()


def write_a_message(page: Page) -> None:
    """Write a message, so that it shows as it will be spoken."""
    page.get_by_label("Message").fill(
        "Hi {{ first_name }}, the papers for {{ contact.company }} are ready. Shall we send them on Friday?"
    )
    page.get_by_label("Message").blur()
    page.locator("#preview .bubble").wait_for()


def find(page: Page) -> None:
    """Open the palette, and look for somebody."""
    page.keyboard.press("Control+k")
    page.locator("#palette-q").fill("ruth")
    page.locator("#palette-found [role=option]").first.wait_for()


def hear_half(page: Page) -> None:
    """Go to the middle of the recording, so that the transcript goes along."""
    page.locator("[data-slider]").first.click()
    page.wait_for_timeout(500)


def see_the_middle_of_the_day(page: Page) -> None:
    """Go to the working hours of the calendar."""
    page.locator("#hour-8").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('.calendar').scrollTop += 260")


PICTURES = (
    Picture(name="overview", path="/overview/?days=30"),
    Picture(name="overview-dark", path="/overview/?days=30", dark=True),
    Picture(name="overview-phone", path="/overview/", size="phone"),
    Picture(name="schedule-a-call", path="/calls/new/?contact={contact}", act=write_a_message),
    Picture(name="calls", path="/calls/", act=choose_two),
    Picture(name="calls-phone", path="/calls/", size="phone"),
    Picture(name="needs-attention", path="/calls/?view=attention"),
    Picture(name="live-call", path="/calls/{live}/"),
    Picture(name="live-call-phone", path="/calls/{live}/", size="phone", dark=True),
    Picture(name="call", path="/calls/{done}/", act=hear_half),
    Picture(name="call-dark", path="/calls/{done}/", dark=True, act=hear_half),
    Picture(name="why-it-did-not-ring", path="/calls/{missed}/"),
    Picture(name="calendar", path="/calendar/", act=see_the_middle_of_the_day),
    Picture(name="find", path="/calls/", dark=True, act=find),
    Picture(name="campaign", path="/campaigns/{running}/"),
    Picture(name="campaign-form", path="/campaigns/{draft}/edit/"),
    Picture(name="campaign-check", path="/campaigns/{draft}/launch/"),
    Picture(name="campaigns", path="/campaigns/"),
    Picture(name="contacts", path="/contacts/"),
    Picture(name="contact", path="/contacts/{contact}/"),
    Picture(name="import", path="/contacts/import/{import}/"),
    Picture(name="do-not-call", path="/setup/do-not-call/"),
    Picture(name="calling-hours", path="/setup/calling-hours/"),
    Picture(name="agent", path="/agents/{agent}/"),
    Picture(name="webhooks", path="/setup/webhooks/log/"),
    Picture(name="trunks", path="/setup/trunks/"),
    Picture(name="keys", path="/setup/keys/"),
    Picture(name="team", path="/setup/team/"),
    Picture(name="audit-log", path="/setup/audit/"),
    Picture(name="account", path="/account/"),
    Picture(name="two-step-login", path="/account/two-steps/"),
    Picture(name="system", path="/setup/system/"),
)
