"""Importing people: nothing is believed, nothing is done twice, and it can be undone."""

from datetime import timedelta
from io import BytesIO

import pytest
from django.utils.module_loading import import_string

from calls.models import Call
from contacts import tasks
from contacts.actions import erase_contact, save_contact
from contacts.actions.exporting import export_problems
from contacts.actions.imports import checking, columns, lease, undoing, working, writing
from contacts.actions.imports.asking import abandon_import, start_import, undo_import, upload
from contacts.actions.imports.store import storage
from contacts.models import Contact, ContactImport, ContactWord, ImportRow, PhoneNumber, Suppression
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.doorbell import ringing
from temphone.lib import clock
from temphone.lib.errors import Conflict, Forbidden, Invalid
from temphone.management.commands import clock as clock_command
from tests.builders import a_call, a_contact
from tests.contacts.builders import (
    PEOPLE,
    a_checked_import,
    a_workbook,
    an_import,
    an_imported_file,
    imported,
    matched,
    undone,
    worked,
)

pytestmark = pytest.mark.django_db


def counts(own: ContactImport) -> tuple[int, int, int, int]:
    return own.new, own.update, own.same, own.problems


def problems(own: ContactImport) -> list[tuple[int, str]]:
    rows = ImportRow.objects.filter(of=own, verdict="problem").order_by("number")
    return [(row.number, problem["code"]) for row in rows for problem in row.problems]


def table(*lines: str) -> str:
    return "\n".join(["Name,Phone,Time zone,Tags,Plan type", *lines])


def test_columns_are_guessed_by_their_names_and_their_values():
    guessed = columns.guess(
        ["Vorname", "Nachname", "X", "Firma", "Gold?", "Empty", "Phone"],
        [["Ada"], ["Byron"], ["+34 911 23 45 67"], ["Engines"], ["yes"], [], ["+34911234567"]],
    )

    assert guessed == ["first_name", "last_name", "phone", "company", "attribute", "", "attribute"]


def test_the_check_changes_nothing_and_says_what_would_be():
    own = a_checked_import()

    assert (own.state, own.rows, *counts(own)) == ("checked", 3, 2, 0, 0, 1)
    assert problems(own) == [(4, "phone_bad")]
    assert not Contact.objects.exists()


def test_good_rows_become_contacts_by_the_rules_for_every_contact():
    own = an_imported_file(
        table("Ada Byron,+34 911 23 45 67,,vip; new,Gold", '"Young, Bob",020 7183 8750,,,'), tag="autumn"
    )

    ada, bob = Contact.objects.order_by("last_name")
    assert (ada.first_name, ada.last_name, ada.phone, ada.timezone) == (
        "Ada",
        "Byron",
        "+34911234567",
        "Europe/Madrid",
    )
    assert (ada.tags, ada.attributes, ada.language) == (["autumn", "vip", "new"], {"plan_type": "Gold"}, "en")
    assert (bob.first_name, bob.last_name, bob.phone) == ("Bob", "Young", "+442071838750")
    assert (own.state, own.made, own.changed, own.file) == ("done", 2, 0, "")
    assert Contact.objects.matching("byr").get() == ada
    assert PhoneNumber.objects.count() == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Ada,,,,", "phone_missing"),
        ("Ada,07 12,,,", "phone_bad"),
        ("Ada,1.41556E+10,,,", "phone_rounded"),
        ("Ada,+44 7911 123456,,,", "zone_missing"),
        ("Ada,+34911234567,Atlantis,,", "zone_unknown"),
        (f"{'A' * 101},+34911234567,,,", "too_long"),
        (f"Ada,+34911234567,,{'t' * 51},", "too_long"),
        (f"Ada,+34911234567,,,{'p' * 5_001}", "too_long"),
    ],
)
def test_a_row_that_breaks_a_rule_is_a_problem_and_is_not_imported(line, code):
    own = an_imported_file(table(line, "Bob,+34911234568,,,"))

    assert problems(own) == [(2, code)]
    assert Contact.objects.get().first_name == "Bob"


def test_a_number_without_a_country_is_a_problem_where_none_is_chosen():
    assert problems(a_checked_import(country=""))[0] == (3, "phone_country")


def test_a_zone_is_chosen_for_numbers_that_tell_none():
    an_imported_file(table("Ada,+44 7911 123456,,,", "Bob,+34911234567,New York,,"), timezone="Europe/London")

    zones = dict(Contact.objects.values_list("first_name", "timezone"))
    assert zones == {"Ada": "Europe/London", "Bob": "America/New_York"}


@pytest.mark.parametrize(
    ("phone", "column", "chosen", "zone"),
    [
        ("+34911234567", "", "", "Europe/Madrid"),
        ("+447911123456", "", "Europe/London", "Europe/London"),
        ("+447911123456", "Europe/Jersey", "Europe/London", "Europe/Jersey"),
        ("+447911123456", "", "", None),
    ],
)
def test_the_zone_of_whoever_vanished_since_the_check_is_by_the_rules(phone, column, chosen, zone):
    there = a_contact(phone=phone)
    own = a_checked_import(table(f"Ada Byron,{phone},{column},vip,Gold"), timezone=chosen)
    assert counts(own) == (0, 1, 0, 0)
    there.delete()

    own = imported(own)

    assert own.state == "done"
    assert list(Contact.objects.values_list("timezone", flat=True)) == ([zone] if zone else [])
    assert problems(own) == ([] if zone else [(2, "zone_missing")])
    assert own.problems == (0 if zone else 1)
    if not zone:
        row = ImportRow.objects.get(of=own)
        assert row.cells == ["Ada Byron", phone, "", "vip", "Gold"]


def test_a_number_that_comes_twice_is_imported_once(monkeypatch):
    monkeypatch.setattr(checking, "BATCH", 1)
    own = an_imported_file(table("Ada,+34911234567,,,", "Bob,+34 911 234 567,,,"))

    (row,) = ImportRow.objects.filter(of=own, verdict="problem")
    assert (row.problems[0]["code"], row.problems[0]["row"]) == ("again", 2)
    assert Contact.objects.get().first_name == "Ada"


def test_a_contact_who_is_there_is_updated_and_loses_nothing():
    there = a_contact(
        phone="+34911234567",
        company="Engines",
        tags=["vip"],
        attributes={"plan_type": "Silver", "city": "Bonn"},
    )
    a_contact(phone="+442071838750", first_name="Bob", last_name="Young")
    own = an_imported_file(table("Ada Byron,+34911234567,,new,Gold", "Bob Young,020 7183 8750,,,"))

    there.refresh_from_db()
    assert (there.first_name, there.company, there.timezone) == ("Ada", "Engines", "America/Los_Angeles")
    assert there.tags == ["vip", "new"]
    assert there.attributes == {"plan_type": "Gold", "city": "Bonn"}
    assert counts(own) == (0, 1, 1, 0)
    assert (own.made, own.changed) == (0, 1)
    assert Contact.objects.matching("byron").get() == there
    assert not Contact.objects.matching("lee").exists()


def test_contacts_who_are_there_stay_as_they_are_where_that_is_chosen():
    there = a_contact(phone="+34911234567")
    an_imported_file(table("Ada Byron,+34911234567,,,"), updates=False)

    there.refresh_from_db()
    assert there.first_name == "Jordan"


def test_whoever_came_since_the_check_stays_as_they_are_where_that_is_chosen():
    own = a_checked_import(updates=False)
    there = a_contact(phone="+34911234567")

    own = imported(own)

    there.refresh_from_db()
    assert (there.first_name, there.company, there.attributes) == ("Jordan", "", {})
    assert (own.made, own.changed) == (1, 0)


def test_a_column_that_is_left_out_may_be_as_long_as_it_likes():
    long = "p" * 5_001
    own = a_checked_import(f"Name,Phone,Notes\nAda,+34911234567,{long}\n", matches=["name", "phone", ""])

    assert counts(own) == (1, 0, 0, 0)


def test_a_column_without_a_latin_letter_is_named_by_its_place():
    an_imported_file("Name,Phone,План,计划,2024\nAda,+34911234567,a,b,c\n")

    assert Contact.objects.get().attributes == {"column_3": "a", "column_4": "b", "column_2024": "c"}


def test_two_columns_never_give_one_attribute():
    with pytest.raises(Invalid, match="plan_type"):
        matched(an_import("Name,Phone,Plan type,Plan-Type\nAda,+34911234567,Gold,Silver\n"))


def test_whoever_must_not_be_called_is_counted():
    Suppression.objects.create(number="+34", is_prefix=True)

    assert a_checked_import().suppressed == 1


def test_a_workbook_is_imported_as_csv_is():
    own = an_imported_file(a_workbook(["Name", "Phone"], ["Ada Byron", 442071838750], ["", ""], ["Bob", "x"]))

    assert Contact.objects.get().phone == "+442071838750"
    assert problems(own) == [(4, "phone_bad")]


def test_everything_is_written_down():
    own = an_imported_file()
    undone(own)

    assert set(AuditEntry.objects.filter(target=own.pk).values_list("action", flat=True)) == {
        "import.upload",
        "import.match",
        "import.start",
        "import.done",
        "import.undo",
        "import.undone",
    }
    of_contacts = AuditEntry.objects.exclude(target=own.pk).order_by("id").values_list("action", flat=True)
    assert list(of_contacts) == ["contact.add", "contact.add", "contact.delete", "contact.delete"]


STEPS = {"checking": checking, "importing": writing, "undoing": undoing}


@pytest.mark.parametrize("state", STEPS)
def test_what_fails_each_time_comes_to_an_end(state, monkeypatch):
    own = matched(an_import())
    if state != "checking":
        start_import(actor=SYSTEM, import_id=worked(own).pk, now=clock.now())
    if state == "undoing":
        undo_import(actor=SYSTEM, import_id=worked(own).pk, now=clock.now())
    with monkeypatch.context() as patch:
        fails_each_time(patch, STEPS[state])

    own.refresh_from_db()
    assert (own.state, own.problem) == ("failed", f"broke_off_{state}")
    assert not lease.take(clock.now())
    if state == "undoing":
        assert undone(own).state == "undone"
        assert not Contact.objects.exists()
    else:
        with pytest.raises(Conflict):
            undo_import(actor=SYSTEM, import_id=own.pk, now=clock.now())


class BrokenError(Exception):
    pass


def fails_each_time(patch, module):
    def fail(*_args, **_kwargs):
        raise BrokenError

    patch.setattr(module, "go_on", fail)
    for _ in range(lease.MOST_TRIES):
        with pytest.raises(BrokenError):
            working.work(for_s=1)
        ContactImport.objects.update(due_at=clock.now())
    working.work(for_s=1)


def test_a_workbook_that_is_never_read_to_its_end_says_what_to_do(monkeypatch):
    own = matched(an_import(a_workbook(["Name", "Phone"], ["Ada", "+34911234567"])))
    fails_each_time(monkeypatch, checking)

    own.refresh_from_db()
    assert (own.state, own.problem) == ("failed", "broke_off_xlsx")


def test_tries_count_from_one_batch_to_the_next(monkeypatch):
    monkeypatch.setattr(checking, "BATCH", 1)
    own = matched(an_import())
    ContactImport.objects.update(tries=lease.MOST_TRIES - 1)
    working.work(for_s=0.0001)

    own.refresh_from_db()
    assert (own.state, own.tries, own.handled) == ("checking", 0, 1)


@pytest.mark.parametrize("step", ["check", "write", "undo"])
def test_a_pass_that_is_cut_off_goes_on_where_it_was(step, monkeypatch):
    """Each slice ends after one batch of one row, and what is in hand when it is killed is rolled back."""
    for module in (checking, writing):
        monkeypatch.setattr(module, "BATCH", 1)
    monkeypatch.setattr("contacts.actions.imports.undoing.BATCH", 1)
    own = matched(an_import())
    acts = {
        "check": lambda: None,
        "write": lambda: start_import(actor=SYSTEM, import_id=own.pk, now=clock.now()),
        "undo": lambda: undo_import(actor=SYSTEM, import_id=own.pk, now=clock.now()),
    }
    for name, act in acts.items():
        act()
        if name == step:
            killed_once(monkeypatch, own)
        while ContactImport.objects.get().is_working:
            working.work(for_s=0.001)

    own.refresh_from_db()
    assert (own.state, counts(own), own.made, own.kept) == ("undone", (2, 0, 0, 1), 2, 0)
    assert not Contact.objects.exists()


def killed_once(monkeypatch, own):
    """A worker that dies in the middle of a batch, and is missed half a minute later."""
    real = AuditEntry.objects.bulk_create

    class KilledError(Exception):
        pass

    def die(*_args, **_kwargs):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr("temphone.rows.insert", die)
        patch.setattr(AuditEntry.objects, "bulk_create", die)
        before = ContactImport.objects.get(pk=own.pk).position
        with pytest.raises(KilledError):
            working.work(for_s=0.001)
    assert ContactImport.objects.get(pk=own.pk).position == before
    assert AuditEntry.objects.bulk_create == real
    assert lease.take(clock.now()) is None
    ContactImport.objects.update(due_at=clock.now())


def test_what_is_in_hand_is_no_other_workers():
    own = matched(an_import())
    taken = lease.take(clock.now())

    assert lease.take(clock.now()) is None
    assert lease.take(clock.now() + lease.LEASE) is not None
    with pytest.raises(lease.Lost):
        checking.check(taken, until=0)
    assert not ImportRow.objects.filter(of=own).exists()


def test_the_clock_rings_for_what_is_to_be_done_and_for_nothing_else(monkeypatch):
    rung = []
    monkeypatch.setattr(ringing, "async_task", lambda task, _rung_at: rung.append(task))
    (bell,) = (one for one in clock_command.bells() if one.task == "contacts.tasks.work_on_imports")
    own = an_import()

    assert not bell.ring_if_due(clock.now())
    matched(own)
    assert bell.ring_if_due(clock.now() + bell.every)
    assert rung == [bell.task]
    assert import_string(bell.task) is tasks.work_on_imports


def test_a_bell_too_many_does_nothing():
    own = an_imported_file()
    tasks.work_on_imports()

    assert worked(own).made == Contact.objects.count() == 2


def test_somebody_added_between_check_and_import_is_not_made_twice():
    own = a_checked_import()
    a_contact(phone="+34911234567", first_name="Ada", last_name="Byron")

    own = imported(own)

    assert Contact.objects.filter(phone="+34911234567").count() == 1
    assert (own.made, own.changed) == (1, 1)


def test_an_import_is_undone():
    there = a_contact(phone="+34911234567", tags=["vip"])
    own = undone(an_imported_file(tag="autumn"))

    assert Contact.objects.get() == there
    was = Contact.objects.get()
    assert (was.first_name, was.company, was.tags, was.attributes) == ("Jordan", "", ["vip"], {})
    assert Contact.objects.matching("lee").get() == there
    assert (own.state, own.kept) == ("undone", 0)
    assert set(ContactWord.objects.values_list("contact", flat=True)) == {there.pk}


def test_undoing_keeps_what_is_in_use_and_what_changed_since_and_says_so():
    there = a_contact(phone="+34911234567")
    own = an_imported_file()
    bob = Contact.objects.get(first_name="Bob")
    a_call(bob)
    save_contact(actor=SYSTEM, contact_id=there.pk, values={"company": "New"}, now=clock.now())

    own = undone(own)

    there.refresh_from_db()
    assert (there.first_name, there.company) == ("Jordan", "New")
    assert Call.objects.get().contact == bob
    rows = ImportRow.objects.filter(of=own).exclude(kept="").order_by("number")
    assert [(row.number, row.kept) for row in rows] == [(2, "changed"), (3, "has_calls")]
    assert own.kept == 2


def test_what_is_undone_is_not_undone_again():
    own = undone(an_imported_file())
    with pytest.raises(Conflict):
        undo_import(actor=SYSTEM, import_id=own.pk, now=clock.now())


def test_an_import_that_is_abandoned_before_leaves_nothing():
    own = a_checked_import()
    abandon_import(actor=SYSTEM, import_id=own.pk, now=clock.now())

    own = worked(own)

    assert (own.state, own.file, own.due_at) == ("abandoned", "", None)
    assert not ImportRow.objects.exists()
    assert not storage().exists(own.pk)
    with pytest.raises(Conflict):
        start_import(actor=SYSTEM, import_id=own.pk, now=clock.now())


def test_an_import_that_is_stopped_halfway_can_be_undone(monkeypatch):
    monkeypatch.setattr(writing, "BATCH", 1)
    own = a_checked_import()
    start_import(actor=SYSTEM, import_id=own.pk, now=clock.now())
    working.work(for_s=0.0001)
    abandon_import(actor=SYSTEM, import_id=own.pk, now=clock.now())

    own = worked(own)
    assert (own.state, Contact.objects.count()) == ("abandoned", 1)
    undone(own)
    assert not Contact.objects.exists()


def test_columns_can_be_matched_anew_after_the_check():
    own = a_checked_import()
    own = worked(matched(own, matches=["name", "phone", "", ""]))

    assert counts(own) == (2, 0, 0, 1)
    assert ImportRow.objects.filter(of=own).count() == 3
    assert imported(own).made == 2
    assert set(Contact.objects.values_list("company", flat=True)) == {""}


@pytest.mark.parametrize(
    "matches", [["name", "", "", ""], ["phone", "phone", "", ""], ["phone"], ["x", "phone", "", ""]]
)
def test_columns_that_make_no_sense_are_refused(matches):
    with pytest.raises(Invalid):
        matched(an_import(), matches=matches)


def test_files_and_rows_are_forgotten_after_a_while(monkeypatch, settings):
    own, waiting = an_imported_file(), an_import()
    later = clock.now() + timedelta(days=settings.IMPORT_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    own, waiting = worked(own), worked(waiting)

    assert own.is_forgotten
    assert (own.state, waiting.state, waiting.columns) == ("done", "abandoned", [])
    assert not ImportRow.objects.exists()
    assert not storage().exists(waiting.pk)
    assert Contact.objects.count() == 2
    with pytest.raises(Conflict):
        undo_import(actor=SYSTEM, import_id=own.pk, now=later)


def test_a_file_that_is_gone_says_so():
    own = matched(an_import())
    storage().delete(own.file)

    own = worked(own)
    assert (own.state, own.problem) == ("failed", "file_lost")


def test_erasing_somebody_forgets_what_was_imported_of_them():
    own = an_imported_file()
    ada = Contact.objects.get(first_name="Ada")
    erase_contact(actor=SYSTEM, contact_id=ada.pk, now=clock.now())

    row = ImportRow.objects.get(of=own, contact=ada)
    assert (row.phone, row.values, row.before) == ("", {}, None)
    assert undone(own).kept == 0


def test_whoever_is_erased_between_check_and_import_is_passed_over():
    there = a_contact(phone="+34911234567")
    own = a_checked_import()
    erase_contact(actor=SYSTEM, contact_id=there.pk, now=clock.now())

    own = imported(own)

    assert (own.state, own.made, own.changed, own.problems) == ("done", 1, 0, 2)
    assert problems(own) == [(2, "erased"), (4, "phone_bad")]
    assert Contact.objects.present().get().first_name == "Bob"


def test_whoever_is_erased_while_their_batch_begins_is_passed_over():
    there = a_contact(phone="+34911234567")
    own = a_checked_import()
    start_import(actor=SYSTEM, import_id=own.pk, now=clock.now())
    taken = lease.take(clock.now())
    batch = list(ImportRow.objects.filter(of=own).exclude(verdict="problem").order_by("number"))
    erase_contact(actor=SYSTEM, contact_id=there.pk, now=clock.now())

    writing._write_batch(taken, batch)

    assert Contact.objects.present().get().first_name == "Bob"


@pytest.mark.parametrize("moved", [False, True])
def test_erasing_somebody_forgets_every_row_that_tells_of_them(moved):
    there = a_contact(phone="+34911234567", first_name="Ada", last_name="Byron")
    lines = table("Ada Byron,+34911234567,,,", "Ada B,+34 911 234 567,,,", "Bob,+34911234568,,,")
    own = a_checked_import(lines)
    assert counts(own) == (1, 0, 1, 1)
    if moved:
        values = {"phone": "+34911234569"}
        save_contact(actor=SYSTEM, contact_id=there.pk, values=values, now=clock.now())
    erase_contact(actor=SYSTEM, contact_id=there.pk, now=clock.now())

    kept = [
        (row.phone, row.cells, row.values, row.problems)
        for row in ImportRow.objects.filter(of=own).order_by("number")
    ]
    assert "Ada" not in str(kept)
    assert "4567" not in str(kept).replace(" ", "")
    assert kept[2][0] == "+34911234568"
    assert problems(own) == [(3, "erased")]


def test_what_is_half_forgotten_is_not_undone(monkeypatch, settings):
    monkeypatch.setattr(working, "FORGOTTEN_AT_ONCE", 1)
    own = an_imported_file()
    later = clock.now() + timedelta(days=settings.IMPORT_DAYS, seconds=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    working.work(for_s=0.0001)
    assert ImportRow.objects.filter(of=own).count() == 2

    for verb in (undo_import, export_problems):
        now = {"now": later} if verb is undo_import else {}
        with pytest.raises(Conflict) as refused:
            verb(actor=SYSTEM, import_id=own.pk, **now)
        assert refused.value.code == "import_forgotten"
    assert not ImportRow.objects.filter(of=worked(own)).exists()


def test_only_managers_import():
    operator = Actor(kind="user", id="1", label="Olga", role=Role.OPERATOR)
    own = an_import()
    with pytest.raises(Forbidden):
        upload(actor=operator, filename="x.csv", file=BytesIO(PEOPLE.encode()), now=clock.now())
    for verb in (start_import, abandon_import, undo_import):
        with pytest.raises(Forbidden):
            verb(actor=operator, import_id=own.pk, now=clock.now())


def test_a_file_of_another_encoding_is_imported():
    own = an_imported_file(PEOPLE.replace("Byron", "Müller").encode("utf-16"))

    assert own.made == 2
    assert Contact.objects.filter(last_name="Müller").exists()
