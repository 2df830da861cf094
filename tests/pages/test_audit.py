"""The audit log's page: who did what to what, filters in the address, links, a file."""

import ast
import csv
import re
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from calls.actions.changing import cancel_call
from calls.models import Verb
from temphone.accounts.actions import create_key, revoke_key
from temphone.accounts.actors import SYSTEM, Actor, Role
from temphone.accounts.forms.audit import WORDS, AuditFilter
from temphone.accounts.forms.audited import NAMES, details_of
from temphone.accounts.models import AuditEntry, Mode, User
from temphone.accounts.views.audit import NEWEST
from temphone.keyset import following
from tests.builders import NOON, a_call, a_contact, a_key, a_trunk
from tests.calls.test_indexes import plan_of
from tests.pages.conftest import EARLIER, htmx, text_of

LOG = "/setup/audit/"
OURS = ("calls", "campaigns", "contacts", "temphone")


@pytest.fixture
def admin(browse):
    return browse(Role.ADMIN)


def an_entry(
    actor: Actor = SYSTEM, action: str = "call.cancel", target: str = "call_x", at=EARLIER, **details
):
    entry = AuditEntry.of(actor, action, target, **details)
    entry.at = at
    entry.save()
    return entry


def test_each_entry_says_who_did_what_to_what_and_leads_there(admin):
    user = User.objects.get()
    call = a_call(a_contact(first_name="Grace", last_name="Hopper"))
    cancel_call(actor=user.actor(), call_id=call.pk, now=EARLIER)
    key, _ = create_key(actor=user.actor(), name="Shop", mode=Mode.TEST, now=EARLIER)
    page = text_of(admin, LOG)

    assert "Canceled a call" in page
    assert f'href="/calls/{call.pk}/">Grace Hopper' in page
    assert "Made an API key" in page
    assert f'href="/setup/keys/{key.public_id}/">Shop' in page
    assert f'href="/setup/team/{user.pk}/">{user.username}' in page


def test_whoever_takes_the_name_of_another_is_told_from_them(admin):
    for username in ("grace", "eve"):
        User.objects.create_user(username, first_name="Grace", last_name="Hopper")
    page = text_of(admin, LOG)
    assert "Grace Hopper (grace)" in page
    assert "Grace Hopper (eve)" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"one", "two", "three"}),
        ("who=key:51", {"two"}),
        ("who=system:", {"three"}),
        ("action=key.revoke", {"two"}),
        ("on=one", {"one"}),
        ("on=on", set()),
        ("since=2026-03-15", {"two", "three"}),
        ("until=2026-03-14", {"one"}),
        ("since=2026-03-15&until=2026-03-15&who=key:51", {"two"}),
        ("since=nonsense&who=nobody&action=x.y&until=9999-12-31", {"one", "two", "three"}),
        ("who=user:999999999999999999999999", set()),
        ("after=W10", {"one", "two", "three"}),
    ],
)
def test_filters_stand_in_the_address(admin, query, found):
    key = Actor(kind="key", id="51", label="Shop", role=Role.MANAGER)
    person = Actor(kind="user", id="7", label="Ada", role=Role.MANAGER)
    an_entry(person, "call.cancel", "one", EARLIER - timedelta(days=1))
    an_entry(key, "key.revoke", "two")
    an_entry(SYSTEM, "trunk.off", "three")

    page = text_of(admin, f"{LOG}?{query}")

    assert {word for word in ("one", "two", "three") if f">{word}<" in page} == found


def test_days_are_those_of_the_reader(browse):
    an_entry(target="late", at=NOON.replace(hour=23, minute=30))
    assert ">late<" in text_of(browse(Role.ADMIN, timezone="Asia/Tokyo"), f"{LOG}?since=2026-03-16")
    assert ">late<" not in text_of(browse(Role.ADMIN, timezone="UTC"), f"{LOG}?since=2026-03-16")


def test_pages_follow_each_other_where_all_share_an_instant(admin):
    for number in range(60):
        an_entry(target=f"call_{number:03}")
    seen, path = [], LOG
    while path:
        page = text_of(admin, path)
        seen += [number for number in range(60) if f">call_{number:03}<" in page]
        path = LOG + page.split('rel="next" href="')[1].split('"')[0] if 'rel="next"' in page else ""
    assert sorted(seen) == list(range(60))


def test_it_costs_as_many_queries_with_many_entries(admin):
    def filled(number: int) -> int:
        for _ in range(number):
            at = timezone.now()
            call, (key, _secret) = a_call(), a_key()
            revoke_key(actor=SYSTEM, public_id=key.public_id, now=NOON)
            an_entry(User.objects.get().actor(), "trunk.off", a_trunk(name=f"Trunk {call.pk}").pk, at)
            an_entry(target=call.contact_id, action="contact.change", at=at)
            an_entry(target=f"user:{User.objects.get().pk}", action="user.change", at=at)
        with CaptureQueriesContext(connection) as queries:
            text_of(admin, LOG)
        return len(queries)

    assert filled(1) == filled(12)


def test_htmx_gets_the_entries_alone(admin):
    an_entry()
    fragment = htmx(admin, LOG)
    assert fragment.strip().startswith('<div id="results">')


def test_the_file_has_what_the_filters_let_through_and_no_formula(admin):
    an_entry(SYSTEM, "call.cancel", "call_1")
    evil = Actor(kind="key", id="51", label="=HYPERLINK(1)", role=Role.MANAGER)
    an_entry(evil, "call.schedule", "call_2", fields=["name"])

    answer = admin.get(f"{LOG}export/?who=key:51")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["target"], row["actor"]) for row in rows] == [("call_2", "'=HYPERLINK(1)")]
    assert rows[0]["details"] == '{"fields": ["name"]}'
    assert rows[0]["at"] == "2026-03-15T14:00:00Z"
    entry = AuditEntry.objects.get(action="audit.export")
    assert entry.details == {"filters": ["who"]}


def test_the_file_has_all_entries_though_they_are_read_in_parts(admin, monkeypatch):
    monkeypatch.setattr("temphone.accounts.views.audit.EXPORTED_AT_ONCE", 7)
    for number in range(30):
        an_entry(target=f"call_{number}")
    rows = b"".join(admin.get(f"{LOG}export/").streaming_content).decode().splitlines()
    assert len(rows) == 1 + 30 + 1  # the head, and that it was exported


# What is put together where it is written: each way that it may turn out.
PUT_TOGETHER = {
    "f'call.{event}'": {"call.changed", "call.rescheduled"},
    "f'calls.{verb}'": {f"calls.{verb}" for verb in Verb},
}


def written_in(path: Path) -> set[str]:
    """The actions that a module writes into the log."""
    tree = ast.parse(path.read_text())
    return {
        action
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"AuditEntry.record", "AuditEntry.of"}
        if "cls" not in ast.unparse(node)
        for action in meant(node.args[1], tree)
    }


def meant(node: ast.expr, tree: ast.Module) -> set[str]:
    """What an expression may turn out as: a text, one of two, or a name that is given such or passed such."""
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp():
            return meant(node.body, tree) | meant(node.orelse, tree)
        case ast.Name(id=name):
            given = [
                part.value
                for part in ast.walk(tree)
                if isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == name
            ]
            found = given or passed(name, tree)
            assert found, f"It is not to be seen what {name} is."
            return set().union(*(meant(one, tree) for one in found))
    return PUT_TOGETHER[ast.unparse(node)]


def passed(name: str, tree: ast.Module) -> list[ast.expr]:
    """What the module's own calls pass for the argument of this name."""
    places = {
        function.name: [argument.arg for argument in function.args.args].index(name)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and name in [one.arg for one in function.args.args]
    }
    return [
        call.args[places[call.func.id]]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in places
    ]


def test_every_action_has_plain_words_and_all_words_an_action():
    modules = [path for app in OURS for path in (settings.BASE_DIR / app).rglob("*.py")]
    written = set().union(*map(written_in, modules))
    assert written == set(WORDS)


@pytest.fixture
def many_entries():
    """Enough entries, and counted by the planner: of an empty table it holds any index for as good."""
    AuditEntry.objects.bulk_create(
        AuditEntry(
            at=NOON - timedelta(seconds=number),
            actor_kind="key",
            actor_id=str(number % 60),
            action=f"key.{'revoke' if number % 7 == 0 else number % 50}",
            target=f"one{number % 300}",
        )
        for number in range(3_000)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE accounts_auditentry")


@pytest.mark.django_db
@pytest.mark.usefixtures("many_entries")
@pytest.mark.parametrize("deep", [False, True], ids=["newest", "deep"])
@pytest.mark.parametrize(
    "filters", ["", "who=key:51", "action=key.revoke", "on=one1", "who=key:51&action=key.revoke"]
)
def test_an_index_gives_what_filters_let_through_in_its_order(filters, deep):
    entries = AuditFilter(QueryDict(filters)).apply(AuditEntry.objects.all(), "UTC").order_by(*NEWEST)
    plan = plan_of((entries.filter(following(NEWEST, [NOON, 1])) if deep else entries)[:51])

    chosen = set(re.findall(r"audit_\w+", plan))
    assert chosen == {BY[frozenset(QueryDict(filters))]}, plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


BY = {
    frozenset(): "audit_newest",
    frozenset({"who"}): "audit_by_actor",
    frozenset({"action"}): "audit_by_action",
    frozenset({"on"}): "audit_by_target",
    frozenset({"who", "action"}): "audit_by_both",
}


def _names_told() -> set[str]:
    """The names of details that any action gives an entry."""
    root = Path(settings.BASE_DIR)
    modules = [
        file for app in ("calls", "campaigns", "contacts", "temphone") for file in (root / app).rglob("*.py")
    ]
    asked = [
        node
        for file in modules
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
    ]
    told = [node for node in asked if ast.unparse(node.func) in {"AuditEntry.record", "AuditEntry.of"}]
    return {keyword.arg for node in told for keyword in node.keywords if keyword.arg}


def test_every_detail_has_a_name_in_words():
    assert len(_names_told()) > 30
    assert _names_told() - NAMES.keys() == set()


def test_details_are_told_in_words_and_ids_as_they_are():
    entry = AuditEntry(
        details={
            "mode": "test",
            "from_import": "imp_tw_1",
            "fields": ["first_name", "tags"],
            "moved": True,
            "odd_one": 7,
        }
    )
    assert (
        details_of(entry)
        == "mode: test; by import: imp_tw_1; what: first name, tags; other address: yes; odd_one: 7"
    )
    with translation.override("es"):
        assert details_of(entry) == (
            "modo: prueba; por la importación: imp_tw_1; qué: nombre, etiquetas; "
            "otra dirección: sí; odd_one: 7"
        )
