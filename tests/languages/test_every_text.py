"""Every page in a language that marks each text: what is unmarked would stay English in any language."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from zoneinfo import available_timezones

import pytest
from babel.messages.catalog import Catalog
from django.apps import apps
from django.conf import settings
from django.db.models import CharField, JSONField, TextField
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from temphone.accounts.actors import Role
from temphone.accounts.models import User
from temphone.management.commands.messages import read
from temphone.said import _said
from tests.browser.everything import EVERY_PAGE, something_on_every_page

PARTS = 3  # of the pages, each within its minute on a crowded machine
FROM, TO = "⟦", "⟧"
SPANISH = settings.LOCALES / "es" / "LC_MESSAGES" / "django.po"
SAID_IN = ("title", "aria-label", "placeholder", "alt", "content", "data-palette", "data-done", "label")
OF_RULES = {"checks", "reason"}  # columns that keep what rules said
LETTERS = re.compile(r"[A-Za-z]{2,}")
UNSAID = {"script", "style", "code", "kbd", "pre"}
# Zones by their IANA names, countries by their names in Spanish.
ZONES = {name.replace("_", " ") for name in available_timezones()}
COUNTRY = re.compile(r".* \(\+\d+\)")
EMPTY = {"meta", "link", "input", "br", "hr", "img", "source", "rect", "path", "circle", "line", "use"}
# Names and units, which are the same in every language.
NAMES = re.compile(
    r"\b(TemPhone|Ctrl|SIP|UDP|TCP|TLS|Twilio|CSV|URL|UTC|API|SHA-256|SQLite|PostgreSQL|English|Español|GMT|"
    r"min|ms|KB|MB|AM|PM|CES?T|[A-Z]{2})\b|\d+(ms|h|s)\b|[\w.+-]+@[\w.-]+|https?://\S+|[A-Z]\w+(/[A-Z]\w+)+"
)


# What the agent says to contacts, and the beginnings of it that a form shows.
SPOKEN = ("Hi ", "Hello, this is", "This is an automated", "Understood. We will", "Can you come, Bob?")
# Keys of metadata, headers and events of webhooks, names of programs, and what a gateway was told by a
# provider.
KEPT = re.compile(
    r"first_name|last_name|order(_no)?(: 8841)?|plan(: Gold)?|"
    r"[a-z]+(-[a-z]+)+|webhook\.test|call_none|Django|Python|"
    r"The account 401 answers: .*|Twilio · \w+…"
)


# What goes wrong: forms that lack what they need, or hold what a rule refuses.
WHEN = {"date": "2030-01-01", "time": "10:00", "whose": "utc", "max_minutes": "5"}
SENT = (
    ("/calls/new/", {}),
    ("/calls/new/", {"contact": "{contact}", "message": "Hi {{ nobody }}", "mode": "test"} | WHEN),
    ("/calls/new/", {"contact": "{contact}", "message": "Hi {% if %}", "mode": "test"} | WHEN),
    ("/calls/{upcoming}/move/", {"date": "2020-01-01", "time": "10:00", "whose": "utc"}),
    ("/calls/{done}/move/", {"date": "2030-01-01", "time": "10:00", "whose": "utc"}),
    ("/calls/{done}/cancel/", {}),
    ("/calls/{upcoming}/mark/", {"outcome": "busy"}),
    ("/contacts/new/", {"phone": "12"}),
    ("/contacts/{contact}/consents/new/", {}),
    ("/contacts/import/", {}),
    ("/contacts/import/{matching}/columns/", {"column-0": "phone", "column-1": "phone"}),
    ("/contacts/import/{imported}/abandon/", {}),
    ("/campaigns/new/", {"opens": "23:00", "closes": "22:00"}),
    ("/campaigns/{campaign}/launch/", {}),
    ("/agents/new/", {"name": "", "step-row": "0", "step-0-name": "", "step-0-say": ""}),
    (
        "/agents/new/",
        {
            "name": "7",
            "goodbye": "{% if %}",
            "silence": "{{ a }}",
            "step-row": "0",
            "step-0-name": "7",
            "step-0-say": "{{ a }}",
            "engine": "llm",
            "mode": "converse",
        },
    ),
    ("/setup/trunks/new/", {"kind": "sip", "host": "a b", "port": "0"}),
    ("/setup/trunks/new/?kind=twilio", {"kind": "twilio", "user": "x"}),
    ("/setup/trunks/{trunk}/delete/", {}),
    ("/setup/numbers/new/", {"e164": "12", "number": "12"}),
    ("/setup/numbers/{number}/remove/", {}),
    ("/setup/keys/new/", {}),
    ("/setup/team/new/", {}),
    ("/setup/do-not-call/new/", {"number": "1", "until": "2020-01-01"}),
    ("/setup/webhooks/new/", {"url": "http://localhost/"}),
    ("/account/", {}),
    ("/account/password/", {"old_password": "no", "new_password1": "1", "new_password2": "2"}),
)


class Marking(trans_real.DjangoTranslation):
    """Spanish, every text of which is the English one between two marks."""

    def __init__(self, spanish: trans_real.DjangoTranslation, catalog: Catalog) -> None:
        self.__dict__.update(spanish.__dict__)
        self.spanish = spanish
        self.known = {
            (f"{one.context}\x04" if one.context else "") + (one.id if isinstance(one.id, str) else one.id[0])
            for one in catalog
        }

    def gettext(self, message: str) -> str:
        catalogs = self.spanish._catalog._catalogs
        known = message in self.known or any(message in one or (message, 0) in one for one in catalogs)
        return f"{FROM}{message.rsplit(chr(4), maxsplit=1)[-1]}{TO}" if known else message

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        marked = self.gettext(singular)
        return marked if number == 1 or marked == singular else f"{FROM}{plural}{TO}"


class Texts(HTMLParser):
    """What a page says to its readers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in EMPTY:
            self.open.append(tag)
        self.found += [value for name, value in attrs if name in SAID_IN and tag != "meta" and value]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            del self.open[len(self.open) - 1 - self.open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if not UNSAID & set(self.open) and data not in ZONES and not COUNTRY.fullmatch(data):
            self.found.append(" ".join(data.split()))


def unmarked(text: str) -> str:
    """What of a text stands outside of all marks."""
    depth, rest = 0, []
    for letter in text:
        depth += (letter == FROM) - (letter == TO)
        rest.append(letter if depth == 0 and letter != TO else " ")
    return "".join(rest)


def data() -> list[str]:
    """What people and programs wrote, the longest first."""
    found = {str(settings.DATA_DIR)}
    for model in apps.get_models():
        names = [
            field.name
            for field in model._meta.fields
            if isinstance(field, CharField | TextField | JSONField)
            and not field.choices
            and field.name not in OF_RULES
        ]
        for row in model._default_manager.values_list(*names) if names else ():
            found |= set(_texts(row))
    return sorted((text for text in found if len(text) > 1), key=len, reverse=True)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        city = value.rsplit("/", 1)[-1].replace("_", " ")
        yield from (value, city, *value.splitlines())
    elif isinstance(value, dict):
        yield from _texts(list(value.values()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def is_said(text: str) -> bool:
    """Whether it is a text of the interface: not what contacts are told, nor what the audit log keeps."""
    return not (text.startswith(SPOKEN) or KEPT.fullmatch(text))


def english_in(page: str, known: list[str]) -> list[str]:
    """The texts of a page that have words which are neither marked nor data."""
    parser = Texts()
    parser.feed(page)
    left = []
    for text in set(parser.found):
        rest = unmarked(text)
        # Data first: an id may hold what looks like a unit.
        for one in known if LETTERS.search(rest) else ():
            rest = rest.replace(one, " ") if one in rest else rest
        if LETTERS.search(NAMES.sub(" ", rest)) and is_said(text):
            left.append(text)
    return left


@pytest.fixture
def marked(monkeypatch, db) -> None:
    client = Client()  # whose middleware makes the catalogs
    client.get("/login/")
    with translation.override("es"):
        marking = Marking(trans_real.translation("es"), read(SPANISH))
    monkeypatch.setitem(trans_real._translations, "es", marking)
    _said.cache_clear()
    yield
    _said.cache_clear()


@pytest.fixture
def reader(marked) -> Client:
    user = User.objects.create(username="ada", role=Role.ADMIN, language="es", timezone="Europe/Madrid")
    client = Client()
    client.force_login(user)
    return client


@pytest.mark.parametrize("part", range(PARTS))
def test_no_page_says_anything_that_is_not_translated(reader, part):
    ids = something_on_every_page()
    known = data()
    found: dict[str, str] = {}

    for path in EVERY_PAGE[part::PARTS]:
        response = reader.get(path.format(**ids))
        assert response.status_code == 200, path
        for text in english_in(response.content.decode(), known):
            found.setdefault(text, path)

    assert not found, "\n".join(f"{path}: {text}" for text, path in found.items())


def test_nothing_that_goes_wrong_is_told_in_english(reader):
    ids = something_on_every_page()
    known = data()
    found: dict[str, str] = {}

    for path, values in SENT:
        sent = {name: value.replace("{contact}", ids["contact"]) for name, value in values.items()}
        response = reader.post(path.format(**ids), sent, follow=True)
        for text in english_in(response.content.decode(), [*known, *filter(None, sent.values())]):
            found.setdefault(text, path)

    assert not found, "\n".join(f"{path}: {text}" for text, path in found.items())


@pytest.mark.parametrize("path", ["/login/", "/nowhere/", "/welcome/none/none/"])
def test_who_is_not_logged_in_reads_no_english_either(marked, path):
    response = Client(headers={"Accept-Language": "es"}).get(path)

    assert english_in(response.content.decode(), []) == []
