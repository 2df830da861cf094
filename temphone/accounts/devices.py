"""Which browser a session is of, in plain words."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from temphone.lib import clock

MOST = 300  # of what a browser tells of itself
# The first that it names: others than Chrome and Safari name those as well.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def remember_device(sender: object, request: HttpRequest | None, **_kwargs: object) -> None:
    """Keep in the session which browser it began in, and when; it ends so long after, whatever is changed."""
    del sender
    if request is not None:
        agent = request.headers.get("User-Agent", "")[:MOST]
        request.session.update({"agent": agent, "began": clock.now().isoformat()})
        # An instant: by itself Django counts from when something in the session was changed last.
        request.session.set_expiry(timedelta(seconds=settings.SESSION_COOKIE_AGE))


def in_words(agent: str) -> str:
    """A browser and its system: ``Firefox on Windows``."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return _("{browser} on {system}").format(browser=browser, system=system)
    return browser or system or _("An unknown browser")
