import re
from collections.abc import Iterator

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from calls.models import Mark, Note, Run
from contacts.models import ContactImport, ContactTag, ContactWord, Destinations, ImportRow
from temphone.accounts.actors import Role
from temphone.accounts.models import LoginSession, RecoveryCode, TwoSteps, User
from temphone.webhooks.models import DeliveryTry
from tests.admin.conftest import fill, fill_all, logged_in
from tests.once import made_once


@pytest.fixture(scope="module")
def filled_once(django_db_setup, django_db_blocker) -> Iterator[None]:
    with made_once(django_db_blocker):
        fill_all()
        with django_db_blocker.block():
            yield


@pytest.fixture
def filled(filled_once, db) -> None:
    """Something of everything."""


OURS = ("accounts", "calls", "campaigns", "contacts", "webhooks")
# The first stands on its message's page; the second only repeats the contact's words, for the search; the
# others have pages of the staff's own, or are a key to somebody's login.
ELSEWHERE = {
    DeliveryTry,
    ContactTag,
    ContactWord,
    ContactImport,
    Destinations,
    ImportRow,
    LoginSession,
    Mark,
    Note,
    RecoveryCode,
    Run,
    TwoSteps,
}
MODELS = [
    model for label in OURS for model in apps.get_app_config(label).get_models() if model not in ELSEWHERE
]
CHANGED_HERE = {
    "contact": Role.MANAGER,
    "campaign": Role.MANAGER,
    "pacing": Role.MANAGER,
}
ADDED_HERE = CHANGED_HERE | {"suppression": Role.OPERATOR}
FOR_ADMINS = {
    "apikey",
    "auditentry",
    "endpoint",
    "idempotencyrecord",
    "keyminute",
    "number",
    "price",
    "trunk",
    "user",
}


def address(model, page: str, *args: object) -> str:
    return reverse(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[quote(arg) for arg in args]
    )


each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.model_name)


def test_every_model_is_there_and_nothing_else_of_others(office):
    page = office.get(reverse("admin:index")).content.decode()  # the URLconf finds the models
    assert set(admin.site._registry) == set(MODELS)
    assert "TemPhone back office" in page
    assert "Recent actions" not in page


@each_model
def test_its_list_and_each_row_show_what_there_is(office, filled, model):
    listed = office.get(address(model, "changelist"))
    assert listed.status_code == 200
    row = model.objects.first()
    assert address(model, "change", row.pk) in listed.content.decode()
    shown = office.get(address(model, "change", row.pk))
    assert shown.status_code == 200


@each_model
def test_its_search_and_every_filter_work(office, filled, model):
    page = office.get(address(model, "changelist"), {"q": "call_1 +1 (415) Lee"})
    assert page.status_code == 200
    for href in re.findall(r'href="(\?[^"]+)"', office.get(address(model, "changelist")).content.decode()):
        found = office.get(address(model, "changelist") + href.replace("&amp;", "&"))
        assert found.status_code == 200, href


@each_model
def test_its_list_asks_no_more_for_more_rows(office, filled, model):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert office.get(address(model, "changelist")).status_code == 200
        return len(asked)

    few = queries()
    fill(6, tag="b")
    assert queries() == few
    assert few <= 9


@each_model
def test_nothing_is_deleted(office, filled, model):
    row = model.objects.first()
    assert office.get(address(model, "delete", row.pk)).status_code == 403
    assert office.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    for page in (address(model, "changelist"), address(model, "change", row.pk)):
        assert b"deletelink" not in office.get(page).content
        assert b"delete_selected" not in office.get(page).content
    office.post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": row.pk, "post": "yes"},
    )
    assert model.objects.filter(pk=row.pk).exists()


@each_model
@pytest.mark.parametrize("role", Role)
def test_the_role_decides_what_may_be_done(filled, model, role):
    client = logged_in(role)
    name = model._meta.model_name
    row = model.objects.exclude(pk=User.objects.get(username=role).pk if name == "user" else 0).first()
    sees = name not in FOR_ADMINS or role == Role.ADMIN
    adds = name in ADDED_HERE and role.includes(ADDED_HERE[name])
    changes = name in CHANGED_HERE and role.includes(CHANGED_HERE[name])
    assert client.get(address(model, "changelist")).status_code == (200 if sees else 403)
    assert client.get(address(model, "add")).status_code == (200 if adds else 403)
    assert client.get(address(model, "change", row.pk)).status_code == (200 if sees else 403)
    refused = client.post(address(model, "change", row.pk), {}).status_code == 403
    assert refused != changes


@pytest.mark.django_db
def test_who_is_no_staff_is_not_let_in():
    client = Client()
    client.force_login(User.objects.create(username="ann", role=Role.ADMIN))
    assert client.get(reverse("admin:index")).status_code == 302


def test_the_history_of_a_row_is_what_the_audit_log_has(office, filled):
    model = apps.get_model("calls", "Call")
    row = model.objects.first()
    answer = office.get(address(model, "history", row.pk))
    assert answer.url == f"{reverse('admin:accounts_auditentry_changelist')}?q={row.pk}"
    page = office.get(answer.url).content.decode()
    assert "call.schedule" in page


@pytest.mark.parametrize("role", Role)
def test_the_history_is_offered_to_whoever_may_read_the_audit_log(filled, role):
    model = apps.get_model("calls", "Call")
    page = logged_in(role).get(address(model, "change", model.objects.first().pk)).content.decode()
    assert ("historylink" in page) == (role == Role.ADMIN)
