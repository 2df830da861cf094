"""What pages show beside their usual sight: nothing, mistakes in forms, what is shown once, mishaps."""

from collections.abc import Iterable, Iterator
from unittest.mock import patch

import pyotp
from django.conf import settings
from django.forms import Field, Form
from django.http import HttpResponse
from django.test import Client

from calls.models import Call, Gateway, StopSwitch
from campaigns.models import Campaign
from campaigns.states import CampaignStatus
from contacts.actions.imports.asking import start_import, undo_import
from contacts.models import ContactImport
from contacts.states import ImportState
from temphone.accounts import half_way
from temphone.accounts.actions import make_link
from temphone.accounts.actors import SYSTEM, Role
from temphone.accounts.models import TwoSteps, User
from temphone.lib import clock
from temphone.telephony.messages import Outcome
from temphone.webhooks.models import Delivery, DeliveryState, Endpoint
from tests.browser.everything import EVERY_PAGE, address_of
from tests.browser.stage import PAST, State, undone
from tests.builders import a_campaign
from tests.contacts.builders import a_checked_import, an_import, an_imported_file, matched
from tests.security.test_routes import PAGES

PASSWORD = "correct-horse-9"  # of a test
NOTHING_LIKE_IT = [
    "/calls/?q=nobody",
    "/calls/?view=live&q=nobody",
    "/calls/?view=attention&q=nobody",
    "/calls/?view=completed&q=nobody",
    "/calls/cancel/?q=nobody&everything=1",
    "/contacts/?q=nobody",
    "/contacts/?tag=nothing",
    "/campaigns/?state=canceled",
    "/campaigns/{draft}/?view=upcoming",
    "/find/?q=nobody",
    "/setup/do-not-call/?q=nobody",
    "/setup/audit/?on=call_none",
    "/setup/webhooks/log/?q=call_none",
    "/calendar/?date=2031-01-06",
]
# Whoever may less sees other buttons.
OF_ALL = [
    "/overview/",
    "/calls/",
    "/calls/{upcoming}/",
    "/calls/{done}/",
    "/contacts/{contact}/",
    "/campaigns/{campaign}/",
    "/setup/do-not-call/",
]


def a_browser(role: Role = Role.ADMIN, **columns: object) -> Client:
    """Of somebody with that role, who knows PASSWORD."""
    client = Client(raise_request_exception=False)
    values = {"password": PASSWORD, "role": role, "zone_chosen": True, **columns}
    client.force_login(User.objects.create_user(f"ada the {role}", **values))
    return client


def shown(client: Client, paths: Iterable[str], note: str = "", *, status: int = 200) -> Iterator[State]:
    """What these pages answer; inside of ``undone`` it is soon past."""
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.headers.get("Location"))
        yield State(f"{path} {note}".strip(), answer, PAST.get())


def usual(ids: dict[str, str], start: int, size: int) -> Iterator[State]:
    """Some of all pages, with something of everything."""
    yield from shown(a_browser(), (path.format(**ids) for path in EVERY_PAGE[start : start + size]))


# Without what looks the same whether there is anything or not.
ALIKE = ("/new/", "/stop/", "&everything=1")
OF_NOTHING = [
    path
    for path in EVERY_PAGE
    if ("{" not in path and not path.endswith(ALIKE)) or path in {"/calls/new/", "/campaigns/new/"}
]


def empty(start: int, size: int) -> Iterator[State]:
    """Some of the pages that are there before anything else is."""
    yield from shown(a_browser(), OF_NOTHING[start : start + size], "of nothing")


def without_matches(ids: dict[str, str]) -> Iterator[State]:
    """The lists, asked for what they do not hold."""
    yield from shown(a_browser(), (path.format(**ids) for path in NOTHING_LIKE_IT))


def for_viewers(ids: dict[str, str]) -> Iterator[State]:
    """Pages that have other buttons for them."""
    yield from shown(a_browser(Role.VIEWER), (path.format(**ids) for path in OF_ALL), "to a viewer")
    newcomer = a_browser(Role.OPERATOR, zone_chosen=False)
    yield from shown(newcomer, ["/overview/"], "to whoever has yet to choose a zone")


# Where the longest texts stand, which are longer yet in another language.
LONGEST = [
    "/overview/",
    "/calls/?view=attention",
    "/calls/{done}/",
    "/calls/{upcoming}/",
    "/calls/new/?contact={contact}",
    "/calendar/?view=day",
    "/campaigns/{campaign}/",
    "/campaigns/{draft}/launch/",
    "/contacts/{contact}/",
    "/contacts/import/{checked}/",
    "/setup/system/",
    "/account/",
]


def in_spanish(ids: dict[str, str]) -> Iterator[State]:
    """The longest pages, to whoever reads them in Spanish."""
    client = a_browser(language="es")
    for state in shown(client, (path.format(**ids) for path in LONGEST), "in Spanish"):
        assert b'<html lang="es"' in state.answer.content, state.name
        yield state


# A sound is no page, and the loop that makes it cannot be started within Playwright's.
FORMS = [route for route, methods in PAGES.items() if "POST" in methods and not route.endswith("sound/")]


def answered(ids: dict[str, str], start: int, size: int) -> Iterator[State]:
    """Some of the forms, sent with nothing and with nonsense: what has more mistakes, or what it made."""
    client = a_browser()
    refusals = set()
    for route in FORMS[start : start + size]:
        path = address_of(route).format(**ids, fingerprint="nowhere")
        answers = [answer for answer in _tried(client, path) if _is_page(answer)]
        if answers:
            worst = max(answers, key=lambda answer: answer.content.count(b"aria-invalid"))
            name = worst.templates[0].name
            if name not in refusals:
                yield State(f"{path} sent empty or wrong", worst)
            refusals |= {name} & {"refused.html", "404.html"}


def _tried(client: Client, path: str) -> list[HttpResponse]:
    with undone():
        nothing = client.post(path)
    nonsense = {name: _nonsense(field) for form in _forms(nothing) for name, field in form.fields.items()}
    with undone():
        return [nothing, client.post(path, nonsense)]


def _nonsense(field: Field) -> str:
    """What is wrong there, and a browser may send."""
    kind = field.widget.attrs.get("type") or getattr(field.widget, "input_type", "")
    return {"number": "-1", "date": "1999-01-01", "time": "03:33"}.get(kind, "?")


def _forms(answer: HttpResponse) -> list[Form]:
    context = answer.context or {}
    return [context[name] for name in ("form", "password_form") if context.get(name)]


def _is_page(answer: HttpResponse) -> bool:
    return not answer.streaming and b"<html" in answer.content


def shown_once() -> Iterator[State]:
    """What an answer shows, and no page after it."""
    client = a_browser()
    for path, sent in (
        ("/setup/keys/new/", {"name": "CRM", "mode": "test", "role": "operator"}),
        (
            "/setup/webhooks/new/",
            {"name": "CRM", "url": "https://crm.example.com", "events": "call.completed"},
        ),
        ("/setup/team/new/", {"username": "grace", "role": "viewer"}),
    ):
        answer = client.post(path, sent)
        assert answer.status_code == 200, (path, answer.headers)
        assert answer.context.get("form") is None, answer.context["form"].errors
        yield State(f"{path} what is shown once", answer)


def imports() -> Iterator[State]:
    """An import at each step."""
    client, now = a_browser(), clock.now()
    steps = {
        ImportState.CHECKING: matched(an_import()),
        ImportState.CHECKED: a_checked_import("Name,Phone\nAda,+34911234567\nEve,07 12\nBob,\n"),
        ImportState.IMPORTING: start_import(actor=SYSTEM, import_id=a_checked_import().pk, now=now),
        ImportState.DONE: an_imported_file(),
        ImportState.UNDOING: undo_import(actor=SYSTEM, import_id=an_imported_file().pk, now=now),
        **{state: an_import() for state in (ImportState.UNDONE, ImportState.ABANDONED, ImportState.FAILED)},
    }
    for state, own in steps.items():
        ContactImport.objects.filter(pk=own.pk).update(state=state, due_at=None)
        yield from shown(client, [f"/contacts/import/{own.pk}/"], state.label)
    yield from shown(client, ["/contacts/import/"], "at every step")


def standings(ids: dict[str, str]) -> Iterator[State]:
    """Calls, campaigns and messages, as they may stand."""
    client = a_browser()
    for outcome in (Outcome.CALLBACK_REQUESTED, Outcome.CANCELED_BY_USER, Outcome.EXPIRED):
        with undone():
            Call.objects.filter(pk=ids["done"]).update(outcome=outcome)
            yield from shown(client, [f"/calls/{ids['done']}/"], outcome)
    for standing in CampaignStatus:
        with undone():
            Campaign.objects.filter(pk=ids["campaign"]).update(status=standing)
            yield from shown(client, [f"/campaigns/{ids['campaign']}/"], standing)
    for state in DeliveryState:
        with undone():
            Delivery.objects.update(state=state)
            yield from shown(client, [f"/setup/webhooks/log/{ids['delivery']}/"], state)


def troubles(ids: dict[str, str]) -> Iterator[State]:
    """What is stopped, switched off, missing, or on its way."""
    client = a_browser()
    with undone():
        launching = a_campaign(status="running", launch_asked_at=clock.now(), launch_size=9, launch_made=4)
        yield from shown(client, [f"/campaigns/{launching.pk}/"], "while it launches")
        Campaign.objects.filter(pk=launching.pk).update(first_calls=4)
        paths = ["/campaigns/", f"/campaigns/{launching.pk}/", f"/campaigns/{launching.pk}/let-on/"]
        yield from shown(client, paths, "when its first calls are to be looked at")
    with undone():
        Campaign.objects.filter(pk=ids["campaign"]).update(status=CampaignStatus.PAUSED)
        yield from shown(client, [f"/campaigns/{ids['campaign']}/resume/"])
    with undone():
        Endpoint.objects.update(off_because="It answered 410 Gone.", enabled=False)
        yield from shown(client, ["/setup/webhooks/", f"/setup/webhooks/{ids['endpoint']}/"], "switched off")
    with undone():
        User.objects.filter(pk=ids["person"]).update(is_active=False)
        yield from shown(client, [f"/setup/team/{ids['person']}/", "/setup/team/?view=off"], "deactivated")
    with undone():
        Gateway.objects.all().delete()
        yield from shown(client, ["/overview/", "/setup/system/"], "without a gateway")
    with undone():
        StopSwitch.objects.update_or_create(pk=1, defaults={"on": True, "reason": "wrong script"})
        yield from shown(client, ["/overview/", "/calls/", "/stop/"], "when all is stopped")


def two_steps() -> Iterator[State]:
    """Two-step login, from its set-up to the last wrong code."""
    client = a_browser()
    user = User.objects.get()
    yield from shown(client, ["/account/two-steps/"])
    secret = half_way.offered_secret(_request_of(client))
    sent = {"password": PASSWORD, "code": pyotp.TOTP(secret).at(clock.now())}
    yield State(
        "/account/two-steps/ with a wrong code", client.post("/account/two-steps/", {**sent, "code": "1"})
    )
    answer = client.post("/account/two-steps/", sent)
    assert b'class="codes' in answer.content
    yield State("/account/two-steps/ the recovery codes", answer)
    paths = ["/account/", "/account/two-steps/codes/", "/account/two-steps/off/"]
    yield from shown(client, paths, "with two steps")
    for path in paths[1:]:
        yield State(f"{path} with a wrong code", client.post(path, {"password": PASSWORD, "code": "1"}))
    TwoSteps.objects.update(failures=TwoSteps.MOST_WRONG)
    yield from shown(client, ["/account/"], "when somebody guesses")
    yield from shown(a_browser(Role.MANAGER), ["/account/"], "without")
    visitor = Client()
    visitor.post("/login/", {"username": user.username, "password": PASSWORD})
    yield from shown(visitor, ["/login/code/"])
    TwoSteps.objects.update(failures=0)
    yield State("/login/code/ with a wrong code", visitor.post("/login/code/", {"code": "000000"}))


def _request_of(client: Client) -> object:
    """What stands for the client's request, where its session is asked for."""
    return type("Request", (), {"session": client.session})()


def doors() -> Iterator[State]:
    """What is shown to whoever is not logged in."""
    visitor = Client()
    grace = User.objects.create(username="grace")
    _grace, token = make_link(actor=SYSTEM, user_id=str(grace.pk))
    welcome = f"/welcome/{grace.pk}/{token}/"
    yield from shown(visitor, ["/login/", "/admin/login/", welcome])
    yield from shown(visitor, ["/welcome/none/none/"], status=410)
    yield State("/login/ sent empty", visitor.post("/login/"))
    yield State("/login/ wrong", visitor.post("/login/", {"username": "grace", "password": "no"}))
    yield State("/welcome/ wrong", visitor.post(welcome, {"new_password1": "a", "new_password2": "b"}))
    for _try in range(settings.AXES_FAILURE_LIMIT):
        answer = visitor.post("/login/", {"username": "grace", "password": "no"})
    assert answer.status_code == 429
    yield State("/login/ too often", answer)


def mishaps(ids: dict[str, str]) -> Iterator[State]:
    """The pages of what goes wrong."""
    client = a_browser(Role.VIEWER)
    yield from shown(client, ["/nowhere/"], status=404)
    yield from shown(client, ["/calls/call_none/", "/contacts/ctc_none/"], status=404)
    yield from shown(Client(), ["/nowhere/"], "to nobody", status=404)
    yield from shown(client, ["/stop/"], "to a viewer", status=403)
    with patch("temphone.pages.patch_vary_headers", side_effect=RuntimeError):
        yield from shown(client, ["/calls/"], "when it breaks", status=500)
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post("/login/", {"username": "grace"})
    assert refused.status_code == 403
    yield State("/login/ without its token", refused)
    strict.cookies = client.cookies
    yield State("/stop/ without its token", strict.post("/stop/"))
