import importlib

import pytest
from django.apps import apps

from calls.models import Call
from contacts.actions import erase_contact
from contacts.models import Contact, ContactTag, ContactWord, people, tags_in_use
from temphone.accounts.actors import SYSTEM
from tests.builders import NOON, a_call, a_contact

pytestmark = pytest.mark.django_db


def found(text: str, **options) -> set[str]:
    return set(Contact.objects.matching(text, **options).values_list("first_name", flat=True))


@pytest.fixture
def ada() -> Contact:
    a_contact(first_name="Bob", last_name="Miller", company="Kiln", phone="+442079460123")
    return a_contact(
        first_name="José", last_name="O'Brien-Ziółek", company="Analytical Engines", phone="+14155558812"
    )


@pytest.mark.parametrize(
    "text",
    [
        "jose",
        "JOSÉ",
        "jos",
        "brien",
        "o'brien",
        "zioł",
        "engines analy",
        "  jos   engi ",
        "+14155558812",
        "+1 (415) 555-8812",
        "415 555",
        "14155",
        "8812",
        "555 8812",
        "jose 8812",
    ],
)
def test_a_contact_is_found_by_the_beginnings_of_words_and_by_either_end_of_the_number(ada, text):
    assert found(text) == {"José"}


@pytest.mark.parametrize("text", ["ose", "nobody", "jose miller", "555", "8813", "%", "_", "'", "ctc_none"])
def test_what_stands_within_a_word_or_with_another_contact_is_not_found(ada, text):
    assert found(text) == set()


def test_no_text_finds_everybody(ada):
    assert found("  ") == {"José", "Bob"}


def test_a_contact_is_found_by_its_whole_id(ada):
    assert found(ada.pk) == {"José"}
    assert found(ada.pk[:-1]) == set()


def test_words_follow_a_change(ada):
    ada.first_name, ada.phone = "Grace", "+14155550000"
    ada.save()

    assert found("grace 0000") == {"Grace"}
    assert found("jose") == found("8812") == set()


def test_who_is_erased_is_forgotten_by_the_search_too(ada):
    erase_contact(actor=SYSTEM, contact_id=ada.pk, now=NOON)

    assert not ContactWord.objects.filter(contact=ada).exists()


def test_contacts_made_in_bulk_are_found():
    Contact.objects.bulk_create(
        [Contact(first_name=name, phone="+14155550100", timezone="UTC") for name in ("Ada", "Bob")]
    )

    assert found("ada") == {"Ada"}


def test_of_too_many_those_whose_word_comes_first_are_found():
    for name in ("Smithson", "Smith", "Smithers"):
        a_contact(first_name=name)

    assert found("smith", most=2) == {"Smith", "Smithers"}


def test_a_search_costs_the_same_however_many_it_finds(django_assert_num_queries):
    for _ in range(2):
        for _ in range(5):
            a_contact(first_name="Ada", last_name="Lovelace")
        with django_assert_num_queries(2):
            assert list(Contact.objects.matching("ada love"))


def test_a_contact_that_keeps_its_words_writes_none(ada, django_assert_num_queries):
    ada.attributes = {"tier": "gold"}
    with django_assert_num_queries(5):  # a savepoint's two, the row, a look at the words, and at the tags
        ada.save()


def test_the_migration_writes_the_words_of_those_who_are_there_already(ada):
    kept = set(ContactWord.objects.values_list("word", "contact"))
    ContactWord.objects.all().delete()

    importlib.import_module("contacts.migrations.0003_words").write_words(apps, None)

    assert set(ContactWord.objects.values_list("word", "contact")) == kept


def test_tags_follow_a_change_and_an_erasure(ada):
    def tagged():
        return set(ContactTag.objects.values_list("tag", flat=True))

    ada.tags = ["vip", "vip", "größe"]
    ada.save()
    assert tagged() == {"vip", "größe"}
    ada.tags = ["board"]
    ada.save()
    assert tagged() == {"board"}
    erase_contact(actor=SYSTEM, contact_id=ada.pk, now=NOON)
    assert tagged() == set()


def test_the_migration_writes_the_tags_of_those_who_are_there_already(ada):
    ada.tags = ["vip", "board"]
    ada.save()
    kept = set(ContactTag.objects.values_list("tag", "contact"))
    ContactTag.objects.all().delete()

    importlib.import_module("contacts.migrations.0007_tags_of_all").write_tags(apps, None)

    assert set(ContactTag.objects.values_list("tag", "contact")) == kept


@pytest.mark.parametrize("most", [0, 5])
def test_those_with_a_tag_are_found_whether_they_are_few_or_many(monkeypatch, most):
    monkeypatch.setattr(people, "MOST_FOUND", most)
    tagged = {a_contact(tags=["vip", "other"]).pk for _ in range(3)}
    a_contact(tags=["vip2"])
    found = Contact.objects.with_tag_by_name("vip")
    assert set(found.values_list("pk", flat=True)) == tagged
    assert set(Contact.objects.with_tag("vip").values_list("pk", flat=True)) == tagged
    assert tags_in_use() == ["other", "vip", "vip2"]


def test_calls_are_found_by_their_id_and_by_their_contact(ada):
    call = a_call(ada)
    a_call()

    for text in (call.pk, ada.pk, "jose 8812"):
        assert list(Call.objects.matching(text)) == [call]
    assert Call.objects.matching("").count() == 2
