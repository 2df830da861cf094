"""A page of Chromium whose server is Django in this very process: no socket, no thread, nothing to wait for.

What a client was answered, to a form as well, is shown as it is, with its own headers; what the page then
fetches is asked of Django too. One load is looked at wide and on a phone, in the light and in the dark.
"""

import mimetypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal, TypeAlias
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.contrib.staticfiles import finders
from django.db import transaction
from django.http import HttpResponse
from django.urls import resolve
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, ViewportSize

Scheme: TypeAlias = Literal["light", "dark"]
ORIGIN = "http://localhost"  # where a page may use what needs a secure context
WIDE: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# How a page is shown: wide, then on a phone.
LOOKS: tuple[tuple[Scheme, Scheme], ...] = (("light", "dark"), ("dark", "light"))
# Nothing is being fetched, and what came is drawn.
SETTLED = """async () => {
  await document.fonts.ready;
  do await new Promise(requestAnimationFrame);
  while (document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling"));
}"""
# What axe says of the document or of a part, in a line for each rule.
LOOKED_AT = """async (part) => {
  const { violations } = await axe.run(part || document, {
    resultTypes: ["violations"], iframes: false, preload: false, elementRef: false, ancestry: false,
  });
  return violations.map((rule) => `${rule.id}: ${rule.nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
}"""
WIDER = "document.documentElement.scrollWidth > window.innerWidth"
# The dialogs that a page offers.
ASKED = "[...document.querySelectorAll('a[data-modal]')].map((link) => link.getAttribute('href'))"
OPENED = """async (href) => {
  await htmx.ajax("GET", href, { target: "#modal", swap: "innerHTML" });
  return document.getElementById("modal").open;
}"""
CLOSED = "document.getElementById('modal').close()"
PAST: ContextVar[bool] = ContextVar("past", default=False)


@dataclass(frozen=True, slots=True)
class State:
    """What somebody was shown: in a word how it came about, and the answer."""

    name: str
    answer: HttpResponse
    is_past: bool = False  # what it shows is gone, so that nothing more can be asked of it

    @property
    def path(self) -> str:
        """Where they were."""
        asked = self.answer.request
        return "?".join(filter(None, (asked["PATH_INFO"], asked["QUERY_STRING"])))


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is changed within is as it was afterwards."""
    token = PAST.set(True)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        PAST.reset(token)


@dataclass
class Stage:
    """One page of Chromium, what its server answers, and what is wrong with what it showed."""

    page: Page
    ours: Context = field(default_factory=copy_context)
    state: State | None = None
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    asked: ClassVar[set[str]] = set()  # the views whose dialogs were looked at: once is enough

    @classmethod
    def of(cls, chromium: Browser) -> "Stage":
        """In a window of its own, without what moves: half-way its colours are pale."""
        stage = cls(
            chromium.new_context(
                reduced_motion="reduce", viewport=WIDE, timezone_id="Europe/Madrid"
            ).new_page()
        )
        stage.page.route("**/*", stage.serve)
        stage.page.on("console", stage.hear)
        stage.page.on("pageerror", lambda error: stage.said.append(str(error)))
        return stage

    def hear(self, message: ConsoleMessage) -> None:
        """Keep what the console complains of: errors, and what the content security policy blocked."""
        if message.type in {"error", "warning"}:
            self.said.append(message.text)

    def serve(self, route: Route) -> None:
        """Answer what the page asks."""
        assert self.state is not None
        request, address = route.request, urlsplit(route.request.url)
        if request.is_navigation_request():
            # With 200, whatever it was: of another the console would complain.
            _answer(route, self.state.answer, status=200)
        elif address.path.startswith("/static/"):
            path = Path(str(finders.find(address.path.removeprefix("/static/"))))
            route.fulfill(body=path.read_bytes(), content_type=mimetypes.guess_type(path)[0])
        else:
            headers = {name: value for name, value in request.headers.items() if name.startswith("hx-")}
            path = f"{address.path}?{address.query}"
            body, kind = request.post_data_buffer or b"", request.headers.get("content-type", "")
            # Playwright calls us in a context of its own, where Django would open a connection of its own.
            ask = partial(self.state.answer.client.generic, request.method, path, body, kind, headers=headers)
            _answer(route, self.ours.run(ask))

    def open(self, state: State) -> Page:
        """The page, when it shows the state."""
        self.state = state
        self.page.goto(f"{ORIGIN}{state.path}")
        self.page.evaluate(SETTLED)
        return self.page

    def look_at(self, states: Iterable[State], *, part: str = "") -> None:
        """Show each wide and on a phone, one of them dark; remember what is wrong with it, or with a part.

        Which of the two is dark takes turns, so that what many pages share is seen in each of four looks.
        """
        for place, state in enumerate(list(states)):  # all are made before the first is shown
            wide, phone = LOOKS[place % len(LOOKS)]
            self.page.set_viewport_size(WIDE)
            self.page.emulate_media(color_scheme=wide)
            self.open(state)
            self.page.evaluate(AXE_SCRIPT)
            dialogs = [] if state.is_past else self._dialogs()
            self._judge(wide, dialogs, part)
            self.page.set_viewport_size(PHONE)
            self.page.emulate_media(color_scheme=phone)
            self._judge(f"{phone} phone", dialogs, part)
            self._blame(self.said)
            self.said.clear()

    def _dialogs(self) -> list[str]:
        """What this page asks over itself that no page before has asked."""
        asked = {resolve(urlsplit(href).path).view_name: href for href in self.page.evaluate(ASKED)}
        new = [href for view, href in asked.items() if view not in self.asked]
        self.asked.update(asked)
        return new

    def _judge(self, look: str, dialogs: Iterable[str], part: str) -> None:
        self._run_axe(look, part)
        if self.page.evaluate(WIDER):
            self._blame([f"{look}: wider than the window"])
        for href in dialogs:
            if self.page.evaluate(OPENED, href):
                self._run_axe(f"{look}, {href}", "#modal")
                self.page.evaluate(CLOSED)
            else:
                self._blame([f"{look}: {href} opens no dialog"])

    def _run_axe(self, look: str, part: str = "") -> None:
        self._blame(f"{look}: {found}" for found in self.page.evaluate(LOOKED_AT, part))

    def _blame(self, findings: Iterable[str]) -> None:
        assert self.state is not None
        self.wrong += [f"{self.state.name}: {finding}" for finding in findings]


def _answer(route: Route, answer: HttpResponse, *, status: int | None = None) -> None:
    headers = {name: value for name, value in answer.items() if name != "Set-Cookie"}
    route.fulfill(status=status or answer.status_code, headers=headers, body=answer.content)
