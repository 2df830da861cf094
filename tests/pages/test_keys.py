"""The pages of API keys: made, shown once, changed, revoked."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from temphone.accounts.actors import Role
from temphone.accounts.models import ApiKey, AuditEntry, Mode
from tests.api.client import Program
from tests.builders import a_contact, a_key
from tests.pages.conftest import EARLIER, htmx, text_of

LIST, NEW = "/setup/keys/", "/setup/keys/new/"
SENT = {"name": "Shop", "mode": "test", "role": "operator", "requests_per_minute": ""}


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


def shown_key(page: str) -> str:
    return re.search(r'<code id="key"[^>]*>(sk_\w+)</code>', page)[1]


def test_a_key_is_made_and_shown_in_the_answer_alone(admin):
    page = admin.post(NEW, SENT).content.decode()

    whole, key = shown_key(page), ApiKey.objects.get()
    assert (key.name, key.mode, key.role, key.created_at) == ("Shop", Mode.TEST, Role.OPERATOR, EARLIER)
    assert Program(whole).get("/calls").status_code == 200
    assert AuditEntry.objects.get().action == "key.create"
    for path in (LIST, f"{LIST}{key.public_id}/"):
        assert whole not in text_of(admin, path)
        assert key.begins in text_of(admin, path)


def test_the_ready_made_command_names_this_installation_the_key_and_a_contact(admin):
    contact = a_contact()
    page = admin.post(NEW, SENT).content.decode()

    assert 'curl -X POST "http://testserver/v1/calls/scheduled"' in page
    assert f"Authorization: Bearer {shown_key(page)}" in page
    assert f'"contact_id": "{contact.pk}"' in page


@pytest.mark.parametrize("change", [{"mode": "live"}, {"role": "viewer"}])
def test_a_key_that_should_ring_nobody_gets_a_command_that_only_looks(admin, change):
    a_contact()
    page = admin.post(NEW, {**SENT, **change}).content.decode()

    assert 'curl "http://testserver/v1/calls"' in page
    assert "/v1/calls/scheduled" not in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "x" * 101}, "at most 100 characters"),
        ({"mode": "both"}, "Select a valid choice."),
        ({"role": "owner"}, "Select a valid choice."),
        ({"requests_per_minute": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_no_key_is_made(admin, change, said):
    assert said in admin.post(NEW, {**SENT, **change}).content.decode()
    assert not ApiKey.objects.exists()


def test_the_name_and_the_rate_are_changed_and_the_key_goes_on_working(admin):
    key, whole = a_key()
    page = admin.post(f"{LIST}{key.public_id}/", {"name": "CRM", "requests_per_minute": "7"}, follow=True)

    assert "The key CRM is saved." in page.content.decode()
    key.refresh_from_db()
    assert (key.name, key.requests_per_minute) == ("CRM", 7)
    assert Program(whole).get("/calls").status_code == 200
    entry = AuditEntry.objects.first()
    assert (entry.action, entry.details) == ("key.change", {"fields": ["name", "requests_per_minute"]})


def test_a_lower_rate_counts_from_the_next_request(admin):
    key, whole = a_key()
    assert Program(whole).get("/calls").status_code == 200
    admin.post(f"{LIST}{key.public_id}/", {"name": "CRM", "requests_per_minute": "1"})

    key.refresh_from_db()
    assert key.requests_per_minute == 1
    assert 429 in {Program(whole).get("/calls").status_code for _ in range(110)}


def test_a_key_is_revoked_after_it_was_asked(admin):
    key, whole = a_key()
    path = f"{LIST}{key.public_id}/revoke/"
    assert "Revoke the key of A program?" in htmx(admin, path)
    assert Program(whole).get("/calls").status_code == 200

    page = admin.post(path, follow=True).content.decode()

    assert "The key A program is revoked." in page
    assert Program(whole).get("/calls").status_code == 401
    assert key.begins not in text_of(admin, LIST)
    assert key.begins in text_of(admin, f"{LIST}?view=revoked")


def test_a_revoked_key_is_neither_changed_nor_revoked_again(admin):
    key, _ = a_key()
    admin.post(f"{LIST}{key.public_id}/revoke/")
    count = AuditEntry.objects.count()

    for path, sent in ((f"{LIST}{key.public_id}/revoke/", {}), (f"{LIST}{key.public_id}/", {"name": "CRM"})):
        page = admin.post(path, sent, follow=True).content.decode()
        assert f"API key {key.public_id} was revoked already." in page
    assert AuditEntry.objects.count() == count
    assert "It works no more" in text_of(admin, f"{LIST}{key.public_id}/")


def test_without_keys_the_page_says_what_to_do(admin):
    page = text_of(admin, LIST)

    assert "No keys yet" in page
    assert NEW in page


def test_the_list_costs_as_many_queries_with_many_keys(admin):
    a_key()
    with CaptureQueriesContext(connection) as few:
        text_of(admin, LIST)
    for _ in range(30):
        a_key()
    with CaptureQueriesContext(connection) as many:
        page = text_of(admin, LIST)
    assert len(many) == len(few)
    assert 'rel="next"' in page


def test_the_menu_shows_keys_to_admins_alone(browse):
    assert LIST in text_of(browse(Role.ADMIN), "/calls/")
    assert LIST not in text_of(browse(Role.MANAGER), "/calls/")
