import pytest

from temphone.accounts.actors import Role
from temphone.webhooks.models import Delivery, DeliveryState, DeliveryTry, Endpoint
from tests.builders import a_call, a_delivery, an_endpoint
from tests.pages.conftest import htmx, text_of

LIST = "/setup/webhooks/"
LOG = "/setup/webhooks/log/"
FORM = {"name": "CRM", "url": "https://crm.example.com/hooks", "events": ["call.completed", "call.failed"]}


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


def test_the_empty_page_says_what_to_do_next(admin):
    assert "No endpoint yet" in text_of(admin, LIST)
    assert "Nothing was sent yet" in text_of(admin, LOG)


def test_a_new_endpoint_shows_its_secret_once(admin):
    made = admin.post(f"{LIST}new/", FORM).content.decode()
    endpoint = Endpoint.objects.get()
    (secret,) = endpoint.signing_secrets(endpoint.created_at)

    assert secret in made
    for path in (LIST, f"{LIST}{endpoint.pk}/", f"{LIST}{endpoint.pk}/secret/"):
        assert "whsec_" not in text_of(admin, path)
    assert endpoint.events == FORM["events"]


@pytest.mark.parametrize(
    ("values", "mend"),
    [
        ({"url": "http://10.0.0.1/"}, "Write a public address such as"),
        ({"events": []}, "Choose at least one event."),
    ],
)
def test_a_bad_address_or_no_event_names_the_mend(admin, values, mend):
    assert mend in admin.post(f"{LIST}new/", {**FORM, **values}).content.decode()
    assert not Endpoint.objects.exists()


def test_a_new_secret_is_shown_and_the_one_before_signs_on_if_wanted(admin):
    endpoint = an_endpoint()
    shown = admin.post(f"{LIST}{endpoint.pk}/secret/", {"keep_old": "1"}).content.decode()

    endpoint.refresh_from_db()
    now = endpoint.updated_at
    new, before = endpoint.signing_secrets(now)
    assert new in shown
    assert before not in shown
    assert "For 24 hours" in shown
    admin.post(f"{LIST}{endpoint.pk}/secret/", {})
    endpoint.refresh_from_db()
    assert len(endpoint.signing_secrets(now)) == 1


def test_a_form_that_is_sent_twice_makes_one_endpoint_and_one_secret(admin):
    token = admin.get(f"{LIST}new/").context["token"]
    for times in (1, 2):
        answer = admin.post(f"{LIST}new/", {**FORM, "token": token}, follow=True).content.decode()
        assert ("whsec_" in answer, "This form was sent before" in answer) == (times == 1, times == 2)
    endpoint = Endpoint.objects.get()
    address = f"{LIST}{endpoint.pk}/secret/"
    token = admin.get(address).context["token"]
    for times in (1, 2):
        answer = admin.post(address, {"token": token}, follow=True).content.decode()
        assert ("whsec_" in answer, "This form was sent before" in answer) == (times == 1, times == 2)
        assert admin.get(address).context["token"] != token


def test_while_two_secrets_sign_a_third_is_not_made_but_the_overlap_ended(admin):
    endpoint = an_endpoint()
    address = f"{LIST}{endpoint.pk}/secret/"
    assert "End the overlap" not in text_of(admin, address)
    admin.post(address, {"keep_old": "1"})
    endpoint.refresh_from_db()
    sealed = endpoint.sealed

    assert "End the overlap" in text_of(admin, address)
    refused = admin.post(address, {"keep_old": "1"}, follow=True).content.decode()
    assert "Two secrets sign for CRM already" in refused
    assert (
        "The newest secret signs alone now."
        in admin.post(address, {"act": "end"}, follow=True).content.decode()
    )
    endpoint.refresh_from_db()
    assert (endpoint.sealed, endpoint.sealed_before) == (sealed, "")


def test_it_is_switched_off_and_on_and_deleted(admin):
    endpoint = an_endpoint()
    address = f"{LIST}{endpoint.pk}/"
    admin.post(f"{address}switch/", {"on": "0"})
    assert not Endpoint.objects.get().enabled
    assert "Send a test message" not in text_of(admin, address).split("<main")[1].split('class="split"')[0]
    admin.post(f"{address}switch/", {"on": "1"})
    assert Endpoint.objects.get().enabled
    admin.post(f"{address}delete/")
    assert admin.get(address).status_code == 404
    assert "No endpoint yet" in text_of(admin, LIST)


def test_a_test_message_is_made_and_shown(admin):
    endpoint = an_endpoint()
    answer = admin.post(f"{LIST}{endpoint.pk}/test/")

    delivery = Delivery.objects.get()
    assert answer.url == f"{LOG}{delivery.pk}/"
    assert "webhook.test" in text_of(admin, answer.url)


def test_a_message_shows_what_is_sent_and_each_try_but_no_signature(admin):
    call = a_call()
    delivery = a_delivery(subject=call.pk, data={"call_id": call.pk, "note": "<b>"})
    for status in (503, 200):
        DeliveryTry.objects.create(
            delivery=delivery, status_code=status, answer=f"said {status}", duration_ms=7
        )

    shown = text_of(admin, f"{LOG}{delivery.pk}/")

    for part in (
        delivery.event_id,
        "said 503",
        "said 200",
        "7 ms",
        "&lt;b&gt;",
        f"/calls/{call.pk}/",
        "v1,…",
    ):
        assert part in shown, part


def test_one_message_is_sent_again(admin):
    delivery = a_delivery()
    Delivery.objects.update(state=DeliveryState.EXHAUSTED, tries=10)
    admin.post(f"{LOG}{delivery.pk}/resend/")

    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == ("pending", 0)


def test_all_that_failed_is_sent_again(admin):
    endpoint = an_endpoint()
    a_delivery(endpoint_id=endpoint.pk, sequence=0)
    Delivery.objects.update(state=DeliveryState.EXHAUSTED)
    answer = admin.post(f"{LOG}resend/", {"hours": "24", "endpoint": endpoint.pk}, follow=True)

    assert "1 message is sent again." in answer.content.decode()
    assert Delivery.objects.get().state == "pending"


def test_the_log_is_filtered_by_its_address(admin):
    crm, other = an_endpoint(), an_endpoint(name="Other")
    for subject, endpoint, event in (("call_a", crm, "call.failed"), ("call_b", other, "call.completed")):
        a_delivery(subject=subject, endpoint_id=endpoint.pk, event=event, sequence=0)
    own = a_delivery(subject="call_c", event="call.answered")
    Delivery.objects.filter(subject="call_b").update(state="delivered")
    found = {
        f"endpoint={crm.pk}": "call_a",
        f"endpoint={other.pk}&state=delivered": "call_b",
        "endpoint=none": "call_c",
        "state=delivered": "call_b",
        "type=call.answered": "call_c",
        "q=call_a": "call_a",
        f"q={own.event_id}": "call_c",
    }
    for query, subject in found.items():
        shown = htmx(admin, f"{LOG}?{query}")
        assert {name for name in ("call_a", "call_b", "call_c") if name in shown.split("<table")[1]} == {
            subject
        }
    assert "No message matches" in htmx(admin, f"{LOG}?type=call.failed&state=delivered")


@pytest.mark.parametrize("query", ["", "endpoint={crm}"])
def test_the_log_is_read_page_by_page_whatever_the_cursor(admin, query):
    crm = an_endpoint()
    for number in range(60):
        a_delivery(subject=f"call_{number:02}", endpoint_id=crm.pk, sequence=0)
    Delivery.objects.filter(subject__endswith="5").update(state="delivered")
    address, seen = f"{LOG}?{query.format(crm=crm.pk)}", []
    while address:
        listing = admin.get(address).context["listing"]
        seen += [one.subject for one in listing.rows]
        address = listing.next and f"{LOG}?{query.format(crm=crm.pk)}&after={listing.next}"
    assert seen == [f"call_{number:02}" for number in reversed(range(60))]
    huge = "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTkiXQ"  # ["9999..."]
    assert len(admin.get(f"{LOG}?after={huge}").context["listing"].rows) == 25


def test_the_pages_cost_the_same_however_much_there_is(admin, django_assert_max_num_queries):
    crm = an_endpoint()
    for number in range(30):
        delivery = a_delivery(subject=a_call().pk, endpoint_id=crm.pk, sequence=0)
        DeliveryTry.objects.create(delivery=delivery, status_code=200, duration_ms=number)
    for path in (LIST, LOG, f"{LIST}{crm.pk}/"):
        with django_assert_max_num_queries(22):
            text_of(admin, path)


def test_a_calls_page_lists_what_was_sent_of_it(admin, browse):
    call = a_call()
    delivery = a_delivery(subject=call.pk, endpoint_id=an_endpoint().pk, sequence=0)

    assert f"{LOG}{delivery.pk}/" in text_of(admin, f"/calls/{call.pk}/")
    shown = text_of(browse(Role.VIEWER), f"/calls/{call.pk}/")
    assert "CRM" in shown
    assert LOG not in shown
