"""Imports at work at one instant. Real commits, real threads, on either database."""

import threading

import pytest
from django.db import connection, transaction

from contacts.actions import save_contact
from contacts.actions.imports import lease, writing
from contacts.actions.imports.asking import start_import
from contacts.models import Contact, ContactImport, ImportRow
from temphone.accounts.actors import SYSTEM
from temphone.lib import clock
from tests.builders import a_contact
from tests.contacts.builders import a_checked_import

pytestmark = pytest.mark.django_db(transaction=True)


def started() -> tuple[ContactImport, list[ImportRow]]:
    own = a_checked_import()
    start_import(actor=SYSTEM, import_id=own.pk, now=clock.now())
    taken = lease.take(clock.now())
    return taken, list(ImportRow.objects.filter(of=own).exclude(verdict="problem").order_by("number"))


def test_two_imports_of_the_same_people_make_them_once():
    first, second = started(), started()
    racing = threading.Thread(target=lambda: (writing._write_batch(*second), connection.close()))
    with transaction.atomic():
        writing._write_batch(*first)
        racing.start()
        racing.join(0.5)
        assert racing.is_alive()
    racing.join(20)

    assert not racing.is_alive()
    assert Contact.objects.count() == 2
    assert list(ContactImport.objects.order_by("made").values_list("made", flat=True)) == [0, 2]


def test_an_import_and_somebody_who_changes_a_number_never_deadlock(monkeypatch: pytest.MonkeyPatch):
    ada = a_contact(phone="+34911234567")
    taken, batch = started()

    def change() -> None:
        save_contact(actor=SYSTEM, contact_id=ada.pk, values={"phone": "+442071838750"}, now=clock.now())
        connection.close()

    saving = threading.Thread(target=change)
    locking = writing._locked

    def locked_later(numbers: set[str]) -> dict[str, Contact]:
        saving.start()
        saving.join(0.5)
        return locking(numbers)

    monkeypatch.setattr(writing, "_locked", locked_later)
    writing._write_batch(taken, batch)
    saving.join(20)

    assert not saving.is_alive()
    assert set(Contact.objects.values_list("phone", "first_name")) == {
        ("+442071838750", "Ada"),
        ("+442071838750", "Bob"),
    }
