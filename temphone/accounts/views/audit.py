"""The audit log, for admins alone: who did what to what, and when."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Model
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from calls.models import Call, Number, Trunk
from campaigns.models import Agent, Campaign
from contacts.models import Contact
from temphone.accounts.actors import Role
from temphone.accounts.forms.audit import AuditFilter, in_words
from temphone.accounts.forms.audited import details_of
from temphone.accounts.models import ApiKey, AuditEntry, AuditQuerySet, User
from temphone.csv_files import csv_file
from temphone.keyset import each
from temphone.lib import clock, ids
from temphone.lib.clock import iso
from temphone.pages import StaffRequest, capped_count, page, read_page

NEWEST = ("-at", "-id")
EXPORTED_AT_ONCE = 1_000
COLUMNS = ("at", "actor_kind", "actor_id", "actor", "action", "target", "details")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An entry as the page shows it."""

    entry: AuditEntry
    words: str
    details: str
    who_href: str
    what: str  # the object's name, or its id
    what_href: str


@page
@require_safe
def audit_log(request: StaffRequest) -> HttpResponse:
    """The newest entries that match the filters."""
    request.user.actor().require(Role.ADMIN)
    form = AuditFilter(request.GET)
    entries = form.apply(AuditEntry.objects.all(), request.user.timezone)
    listing = read_page(entries, request.GET, keys=NEWEST)
    context = {
        "form": form,
        "chips": form.chips(),
        "listing": listing,
        "shown": _shown(listing.rows),
        "count": capped_count(entries.newest()),
    }
    return render(request, "accounts/audit.html#results" if request.htmx else "accounts/audit.html", context)


def _shown(entries: Sequence[AuditEntry]) -> list[Shown]:
    names: dict[str, str] = {}
    for kind in KINDS:
        names.update(kind.names([entry.target for entry in entries]))
    return [
        Shown(
            entry=entry,
            words=in_words(entry.action),
            details=details_of(entry),
            who_href=_href(f"{entry.actor_kind}:{entry.actor_id}"),
            what=names.get(_object(entry), "") or entry.target,
            what_href=_href(_object(entry)),
        )
        for entry in entries
    ]


def _object(entry: AuditEntry) -> str:
    """The target with its kind: of keys the log holds the public part alone."""
    return f"key:{entry.target}" if entry.action.startswith("key.") else entry.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of object that the log names: how its ids begin, its page, and what it is called."""

    begins: str
    page: str
    model: type[Model]
    name: Callable[[Model], str] = str
    related: tuple[str, ...] = ()

    def names(self, targets: Sequence[str]) -> Mapping[str, str]:
        """What these objects are called, by one query for all; none where none is of this kind."""
        keys = {target for target in targets if target.startswith(self.begins)}
        rows = self.model._default_manager.filter(pk__in=keys).select_related(*self.related) if keys else []
        return {str(row.pk): self.name(row) for row in rows}


class People(Kind):
    """Staff, of whom the log holds ``user:`` and a number."""

    def names(self, targets: Sequence[str]) -> Mapping[str, str]:
        """By the same text."""
        numbers = {target.removeprefix("user:") for target in targets if target.startswith("user:")}
        people = User.objects.filter(pk__in=[number for number in numbers if number.isdecimal()])
        return {f"user:{person.pk}": person.actor().label for person in people}


class Keys(Kind):
    """API keys, of which the log holds the public part."""

    def names(self, targets: Sequence[str]) -> Mapping[str, str]:
        """By ``key:`` and that part."""
        keys = ApiKey.objects.filter(public_id__in=set(targets))
        return {f"key:{key.public_id}": key.name for key in keys}


def _contact_of(call: Model) -> str:
    return str(call.contact) if isinstance(call, Call) else str(call)


KINDS = (
    Kind(begins=ids.CALL, page="call", model=Call, name=_contact_of, related=("contact",)),
    Kind(begins=ids.CONTACT, page="contact", model=Contact),
    Kind(begins="camp_", page="campaign", model=Campaign),
    Kind(begins="agt_", page="agent", model=Agent),
    Kind(begins="trk_", page="trunk", model=Trunk),
    Kind(begins="num_", page="number", model=Number),
    People(begins="user:", page="person", model=User),
    Keys(begins="key:", page="key", model=ApiKey),
)


def _href(target: str) -> str:
    """The page of an object; empty where it has none."""
    for kind in KINDS:
        if target.startswith(kind.begins):
            id_ = target.removeprefix(kind.begins) if kind.begins.endswith(":") else target
            try:
                return reverse(kind.page, args=[id_])
            except NoReverseMatch:
                return ""
    return ""


@page
@require_safe
def audit_export(request: StaffRequest) -> StreamingHttpResponse:
    """All entries that match, as CSV, sent while they are read."""
    actor = request.user.actor()
    actor.require(Role.ADMIN)
    form = AuditFilter(request.GET)
    entries = form.apply(AuditEntry.objects.all(), request.user.timezone)
    AuditEntry.record(actor, "audit.export", f"user:{request.user.pk}", filters=sorted(form.given))
    return csv_file(f"audit-{clock.now():%Y-%m-%d}.csv", _lines(entries), mark="")  # programs read it


def _lines(entries: AuditQuerySet) -> Iterator[Sequence[str]]:
    yield COLUMNS
    yield from map(_cells, each(entries.newest(), NEWEST, at_a_time=EXPORTED_AT_ONCE))


def _cells(entry: AuditEntry) -> list[str]:
    return [
        iso(entry.at),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_label,
        entry.action,
        entry.target,
        json.dumps(entry.details, ensure_ascii=False),
    ]
