"""Pages in the reader's language; what programs and logs get stays English."""

import json

import pytest
from django.test import Client
from django.utils import translation

from calls.models import CallEvent, Decision
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry, User
from tests.builders import a_call, a_campaign, a_key

SPANISH = {"Accept-Language": "es-MX,es;q=0.9,en;q=0.5"}


def a_browser(language: str = "", *, role: Role = Role.ADMIN, **headers: str) -> Client:
    user = User.objects.create(username=f"ada-{User.objects.count()}", role=role, language=language)
    client = Client(headers=headers or None)
    client.force_login(user)
    return client


def page(client: Client, path: str) -> str:
    response = client.get(path, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_a_language_is_chosen_on_the_account_page(db):
    client = a_browser()
    assert '<html lang="en"' in page(client, "/account/")

    sent = {"first_name": "Ada", "last_name": "", "timezone": "Europe/Madrid", "language": "es"}
    after = client.post("/account/", sent, follow=True).content.decode()

    assert User.objects.get().language == "es"
    assert '<html lang="es"' in after
    assert "Su cuenta" in after or "Cuenta" in after
    assert AuditEntry.objects.get().action == "account.change"


def test_a_language_that_is_none_is_refused(db):
    client = a_browser()

    client.post("/account/", {"timezone": "Europe/Madrid", "language": "xx"})

    assert User.objects.get().language == ""


def test_a_page_says_in_which_language_it_is(db):
    response = a_browser("es").get("/calls/")

    assert response["Content-Language"] == "es"
    assert '<html lang="es"' in response.content.decode()
    assert "Llamadas" in response.content.decode()


def test_without_a_choice_the_browsers_language_is_read(db):
    assert "Llamadas" in page(a_browser(**SPANISH), "/calls/")
    assert '<html lang="en"' in page(a_browser("en", **SPANISH), "/calls/")


def test_before_the_login_the_browsers_language_is_read(db):
    login = page(Client(headers=SPANISH), "/login/")

    assert '<html lang="es"' in login
    assert "Contraseña" in login
    assert '<html lang="en"' in page(Client(headers={"Accept-Language": "fr"}), "/login/")


def test_one_reader_does_not_change_the_language_of_the_next(db):
    a_browser("es").get("/calls/")

    assert '<html lang="en"' in page(a_browser(), "/calls/")


def test_an_error_page_is_in_the_readers_language(db):
    response = a_browser("es").get("/calls/call_none/")

    assert response.status_code == 404
    assert '<html lang="es"' in response.content.decode()


def test_the_api_speaks_english_whatever_is_asked_for(db):
    call = a_call()
    a_browser("es").get("/calls/")  # this thread has just shown Spanish
    _, secret = a_key()
    api = Client(headers={"Authorization": f"Bearer {secret}", **SPANISH})

    answers = [
        api.get("/v1/calls/call_none"),
        api.get(f"/v1/calls/{call.pk}"),
        api.post("/v1/calls/scheduled", json.dumps({"contact_id": 5}), content_type="application/json"),
        api.get("/v1/nowhere"),
    ]

    english = Client(headers={"Authorization": f"Bearer {secret}"})
    assert answers[0].json() == english.get("/v1/calls/call_none").json()
    for answer in answers:
        assert not set("áéíóúñ¿¡") & set(answer.content.decode())
    assert "not found" in answers[0].json()["message"].lower()


def test_the_apis_document_is_english(db):
    document = Client(headers=SPANISH).get("/v1/schema/").content.decode()

    assert "Completada" not in document
    assert document == Client().get("/v1/schema/").content.decode()


def test_what_a_rule_said_is_kept_in_english_though_it_was_asked_in_spanish(db):
    campaign = a_campaign(name="Spring", status="paused")
    with translation.override("es"):
        call = a_call(campaign_id=campaign.pk)

    kept = json.dumps([decision.checks for decision in Decision.objects.filter(call=call)])
    assert "Campaign Spring is paused. It holds its calls." in kept


def test_the_history_is_kept_in_english_and_read_in_spanish(db):
    call = a_call()
    client = a_browser("es")

    client.post(f"/calls/{call.pk}/cancel/")

    assert not any(set("áéíóúñ") & set(event.reason) for event in CallEvent.objects.all())
    assert "Cancelada" in page(client, f"/calls/{call.pk}/")


def test_a_refusal_is_read_in_spanish(db):
    call = a_call()

    response = a_browser("es", role=Role.VIEWER).post(f"/calls/{call.pk}/cancel/")

    assert response.status_code == 403
    assert "hace falta el rol de operador" in response.content.decode()


@pytest.mark.parametrize(("language", "number"), [("en", "1,234.5"), ("es", "1\N{NO-BREAK SPACE}234,5")])
def test_numbers_are_written_as_the_reader_does(language, number):
    from temphone.templatetags.ui import grouped

    with translation.override(language):
        assert grouped(1234.5, 1) == number


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Friday 4 December 2026"), ("es", "viernes 4 de diciembre de 2026")]
)
def test_dates_are_written_as_the_reader_does(language, words, settings):
    from datetime import date

    from temphone.lib import catalogs
    from temphone.templatetags.times import full_date

    catalogs.compile_all(settings.LOCALES, settings.LOCALE_PATHS[0])
    with translation.override(language):
        assert full_date(date(2026, 12, 4)).lower() == words.lower()
