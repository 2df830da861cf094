"""A real Chromium over a live server; what its console says, and what axe finds, fails the test."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from temphone.accounts.actors import Role
from temphone.accounts.models import User
from tests.browser.stage import Stage

PASSWORD = "correct-horse-9"  # of a test
LOOKS = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
    "dark phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}


# For a walk that is another on a phone: in two of the looks, which differ most.
both_looks = pytest.mark.parametrize("look", ["light", "dark phone"])


@pytest.fixture(scope="session")
def chromium(django_db_setup) -> Iterator[Browser]:
    # Playwright runs a loop in this thread, where Django then suspects async code; there is none.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        browser.close()
        connections.close_all()  # those opened beside its loop; else the database could not be dropped
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@dataclass
class Window:
    """A page of somebody who is logged in, and what its console said."""

    page: Page
    server: str
    complaints: list[str] = field(default_factory=list)

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def open(self, path: str) -> Page:
        response = self.page.goto(self.server + path)
        assert response is not None
        assert response.status == 200, path
        # What it fetches is there then.
        self.page.wait_for_load_state("networkidle")
        return self.page

    def log_in(self, user: User) -> None:
        self.page.goto(f"{self.server}/login/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/overview/**")

    def assert_sound(self) -> None:
        """No word of the console, nothing that axe finds, nothing wider than the window."""
        assert self.complaints == []
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()
        wider = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wider <= 0, "wider than the window"


Open = Callable[..., Window]


@pytest.fixture
def window(chromium, live_server) -> Iterator[Open]:
    """Windows with a look of LOOKS, of staff with a role. None may complain, at the end either."""
    windows = []

    def new(look: str = "light", *, role: Role = Role.MANAGER, **options: object) -> Window:
        # Without motion: what arrives softly is pale half-way, and axe would judge those colours.
        context = chromium.new_context(reduced_motion="reduce", **{**LOOKS[look], **options})
        window = Window(context.new_page(), live_server.url)
        window.page.on("console", window.hear)
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        windows.append(window)
        user = User.objects.create_user(
            f"{role}-{len(windows)}", password=PASSWORD, role=role, timezone="Europe/Madrid"
        )
        window.log_in(user)
        return window

    yield new
    for window in windows:
        assert window.complaints == []
        window.page.context.close()


@pytest.fixture
def stage(db, chromium) -> Iterator[Stage]:
    """A page of Chromium, closed in the end."""
    stage = Stage.of(chromium)
    yield stage
    stage.page.context.close()
