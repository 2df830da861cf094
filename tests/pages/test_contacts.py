import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Call, Note
from contacts.models import Consent, Contact, Suppression
from temphone import pages
from temphone.accounts.actors import Role
from temphone.accounts.models import AuditEntry
from tests.builders import NOON, a_call, a_contact
from tests.pages.conftest import a_finished_call, htmx, text_of


@pytest.fixture
def manager(browse):
    return browse(Role.MANAGER)


def person(**changed: str) -> dict[str, str]:
    return {"first_name": "Ada", "last_name": "Byron", "phone": "+34 911 23 45 67", "timezone": "", **changed}


def test_people_are_listed_by_name_and_found(manager):
    a_contact(first_name="Bob", last_name="Young")
    a_contact(first_name="Ada", last_name="Byron", company="Engines")

    page = text_of(manager, "/contacts/")
    assert page.index("Byron") < page.index("Young")

    found = htmx(manager, "/contacts/", q="engines")
    assert "Byron" in found
    assert "Young" not in found
    assert "Nobody matches" in htmx(manager, "/contacts/", q="zzz")


def test_people_are_found_by_a_tag(manager):
    a_contact(first_name="Bob", tags=["vip"])
    a_contact(first_name="Ada", tags=["vip", "board"])
    a_contact(first_name="Eve")

    page = text_of(manager, "/contacts/?tag=vip")
    assert ("Bob" in page, "Ada" in page, "Eve" in page) == (True, True, False)
    assert '<a class="tag" href="?tag=board">board</a>' in page
    assert "<option selected>vip</option>" in page
    assert "Bob" not in htmx(manager, "/contacts/", q="ada", tag="vip")
    assert "Try another tag" in text_of(manager, "/contacts/?tag=gone")


def test_whoever_is_added_for_a_first_call_is_called_next(manager):
    assert 'value="+1 415 555 0100"' in text_of(manager, "/contacts/new/?then=call")
    assert 'value="+1 415 555 0100"' not in text_of(manager, "/contacts/new/")

    answer = manager.post("/contacts/new/?then=call", person())

    assert answer.url == f"/calls/new/?contact={Contact.objects.get().pk}"


def test_pages_follow_each_other_though_names_repeat(manager, monkeypatch):
    monkeypatch.setattr(pages.read_page, "__kwdefaults__", {"size": 2})
    for number in range(7):
        a_contact(first_name=f"N{number % 2}", last_name="")
    expected = list(Contact.objects.order_by("last_name", "first_name", "id"))
    seen, url = [], "/contacts/"

    while url:
        listing = manager.get(url).context["listing"]
        seen += listing.rows
        url = listing.next and f"/contacts/?after={listing.next}"

    assert seen == expected


def test_the_number_of_queries_does_not_grow_with_the_people(manager):
    counts = []
    for _ in range(2):
        for _ in range(5):
            a_contact()
        with CaptureQueriesContext(connection) as queries:
            text_of(manager, "/contacts/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 12


def test_no_contacts_yet_says_what_to_do(manager):
    assert "Add the first person" in text_of(manager, "/contacts/")


def test_a_number_in_any_spelling_makes_a_contact_in_its_zone(manager):
    response = manager.post("/contacts/new/", person(tags="vip, new,vip", attributes="plan: Gold"))

    contact = Contact.objects.get()
    assert response.url == f"/contacts/{contact.pk}/"
    assert (contact.phone, contact.timezone, contact.language) == ("+34911234567", "Europe/Madrid", "en")
    assert (contact.tags, contact.attributes) == (["vip", "new"], {"plan": "Gold"})


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"phone": "911 23 45 67"}, "phone", "Write the number with its country, such as +1 415 555 0100."),
        ({"phone": "+1 800 555 0100"}, "timezone", "Choose where this person is."),
        ({"timezone": "Mars/Olympus"}, "timezone", "Select a valid choice."),
        ({"attributes": "nonsense"}, "attributes", "Write each line as name: value."),
    ],
)
def test_an_error_stands_by_its_field_and_names_the_mend(manager, changed, field, message):
    response = manager.post("/contacts/new/", person(**changed))

    assert message in response.context["form"].errors[field][0]
    assert message in response.content.decode()
    assert not Contact.objects.exists()


def test_a_contact_is_changed_and_what_is_shown_is_what_it_was(manager):
    contact = a_contact(tags=["vip"], attributes={"plan": "Gold"})
    form = manager.get(f"/contacts/{contact.pk}/edit/").context["form"]
    sent = {name: form[name].value() for name in form.fields}
    assert sent["phone"].startswith("+1 415-555-")

    manager.post(f"/contacts/{contact.pk}/edit/", {**sent, "company": "Engines"})

    changed = Contact.objects.get()
    for name in ("first_name", "phone", "timezone", "language", "tags", "attributes"):
        assert getattr(changed, name) == getattr(contact, name)
    assert changed.company == "Engines"


def test_a_contacts_page_shows_their_calls_and_leads_to_a_new_one(manager):
    call = a_finished_call()

    page = text_of(manager, f"/contacts/{call.contact_id}/")

    assert f"/calls/{call.pk}/" in page
    assert "Message delivered" in page
    assert f"/calls/new/?contact={call.contact_id}" in page


def test_the_number_of_queries_does_not_grow_with_the_calls(manager):
    contact, counts = a_contact(), []
    for _ in range(2):
        for _ in range(3):
            a_finished_call(contact=contact)
            Consent.objects.create(
                contact=contact, phone=contact.phone, purpose="marketing", kind="written", source="form"
            )
        with CaptureQueriesContext(connection) as queries:
            text_of(manager, f"/contacts/{contact.pk}/")
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 14


def test_an_erased_contact_has_no_page(manager):
    contact = a_contact(erased_at=NOON)

    assert manager.get(f"/contacts/{contact.pk}/").status_code == 404


def test_somebody_is_erased_after_a_question_and_stays_on_the_list_of_numbers(manager):
    call = a_finished_call(contact=a_contact(company="Engines"))
    page = f"/contacts/{call.contact_id}/"
    number = call.contact.phone
    Suppression.objects.create(number=number)
    Note.objects.create(call=call, text="Likes mornings.", by="ada")

    assert f'href="{page}erase/"' in text_of(manager, page)
    question = text_of(manager, f"{page}erase/")
    assert "Erased for good" in question
    assert "do-not-call list" in question
    answer = manager.post(f"{page}erase/", follow=True)

    assert answer.redirect_chain == [("/contacts/", 302)]
    assert "The person is erased." in answer.content.decode()
    contact = Contact.objects.get(pk=call.contact_id)
    assert (contact.phone, contact.company, contact.first_name, contact.last_name) == ("", "", "", "")
    assert not Note.objects.exists()
    assert Suppression.objects.get().number == number
    assert AuditEntry.objects.filter(action="contact.erase", target=contact.pk).count() == 1


def test_whoever_is_still_to_be_called_is_not_erased(manager):
    call = a_call()
    page = f"/contacts/{call.contact_id}/"

    question = text_of(manager, f"{page}erase/")
    assert "Cancel them first." in question
    assert 'type="submit" class="button danger' not in question
    answer = manager.post(f"{page}erase/", follow=True)

    assert answer.redirect_chain == [(page, 302)]
    assert "Cancel them first." in answer.content.decode()
    assert Contact.objects.present().filter(pk=call.contact_id).exists()


def test_a_consent_is_recorded_and_revoked(manager):
    contact = a_contact()
    url = f"/contacts/{contact.pk}/consents/"
    assert "Record a consent" in htmx(manager, f"{url}new/")

    manager.post(
        f"{url}new/", {"purpose": "marketing", "kind": "written", "source": "form", "evidence": "No. 7"}
    )
    consent = Consent.objects.get()
    assert (consent.phone, consent.purpose, consent.evidence) == (contact.phone, "marketing", "No. 7")
    assert "Written, marketing" in text_of(manager, f"/contacts/{contact.pk}/")

    manager.post(f"{url}{consent.pk}/revoke/", {"how": "by e-mail"})
    consent.refresh_from_db()
    assert consent.revoked_how == "by e-mail"
    assert "Revoked" in text_of(manager, f"/contacts/{contact.pk}/")

    page = manager.post(f"{url}{consent.pk}/revoke/", {"how": "again"}, follow=True).content.decode()
    assert "was revoked already" in page


def test_what_was_never_given_is_not_offered_for_revoking(manager):
    contact = a_contact()
    shown = {}
    for kind in ("none", "express"):
        Consent.objects.all().delete()
        Consent.objects.create(
            contact=contact, phone=contact.phone, purpose="informational", kind=kind, source="a form"
        )
        shown[kind] = "Revoke" in text_of(manager, f"/contacts/{contact.pk}/")
    assert shown == {"none": False, "express": True}


def test_somebody_elses_consent_is_not_found(manager):
    contact = a_contact()
    consent = Consent.objects.create(
        contact=a_contact(), phone="+1", purpose="marketing", kind="written", source="x"
    )

    response = manager.post(f"/contacts/{contact.pk}/consents/{consent.pk}/revoke/", {"how": "x"})

    assert response.status_code == 404
    consent.refresh_from_db()
    assert consent.revoked_at is None


def test_a_suppressed_number_loses_its_calls_until_it_is_lifted(manager):
    call = a_call()
    contact = call.contact
    assert "is not called again" in htmx(manager, f"/contacts/{contact.pk}/suppress/")

    manager.post(f"/contacts/{contact.pk}/suppress/", {"reason": "complaint", "source": "letter"})
    suppression = Suppression.objects.get()
    assert (suppression.number, suppression.reason) == (contact.phone, "complaint")
    assert Call.objects.get().is_final
    page = text_of(manager, f"/contacts/{contact.pk}/")
    assert "Must not be called:" in page
    assert "Never call this number" not in page

    manager.post(f"/contacts/{contact.pk}/lift/{suppression.pk}/")
    suppression.refresh_from_db()
    assert suppression.lifted_at
    assert "Must not be called:" not in text_of(manager, f"/contacts/{contact.pk}/")
