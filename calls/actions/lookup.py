"""What scheduling must know before it decides: whom and what requests name, and the facts for the gates.

For one request that is one statement: it is the API's busiest path, and to build the ORM's seven would cost
several times what the database takes for them. For many requests the ORM does as well.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model

from calls.gates import Facts
from calls.models import Call, Number, StopSwitch
from campaigns.models import Campaign
from contacts.models import Consent, Contact, Destinations, Suppression
from temphone.accounts.actors import Actor
from temphone.accounts.models import ApiKey, Mode
from temphone.lib.errors import NotFound

M = TypeVar("M", bound=Model)

# What of each table; the first column is its key.
COLUMNS: dict[type[Model], tuple[str, ...]] = {
    Contact: ("id", "first_name", "last_name", "phone", "timezone", "language", "company", "attributes"),
    Campaign: ("id", "name", "status", "mode", "purpose", "opens", "closes"),
    Consent: ("id", "contact_id", "purpose", "kind", "captured_at"),
    StopSwitch: ("id", "on", "changed_by"),
    Destinations: ("id", "countries", "kinds"),
}
# One row per consent in force, the newest first; or one row, without any. The last column: whether the
# number is perhaps suppressed. Against erasing, which takes a stronger lock, the contact is locked; calls
# to the same contact do not wait for each other.
ONE = """
    SELECT {columns}, accounts_apikey.id,
        EXISTS (
            SELECT 1 FROM contacts_suppression WHERE number = contacts_contact.phone AND lifted_at IS NULL
        ) OR EXISTS (
            SELECT 1 FROM contacts_suppression WHERE is_prefix = TRUE AND lifted_at IS NULL
            AND contacts_contact.phone LIKE number || '%%'
        )
    FROM contacts_contact
    LEFT JOIN campaigns_campaign ON campaigns_campaign.id = %(campaign_id)s
    LEFT JOIN accounts_apikey ON accounts_apikey.public_id = %(key)s
    LEFT JOIN calls_stopswitch ON calls_stopswitch.id = 1
    LEFT JOIN contacts_destinations ON contacts_destinations.id = 1
    LEFT JOIN contacts_consent ON contacts_consent.contact_id = contacts_contact.id
        AND contacts_consent.captured_at <= %(now)s AND contacts_consent.revoked_at IS NULL
    WHERE contacts_contact.id = %(contact_id)s AND contacts_contact.erased_at IS NULL
    ORDER BY contacts_consent.captured_at DESC, contacts_consent.id DESC
    {lock}
"""
LOCK = "FOR SHARE OF contacts_contact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The contacts and campaigns that requests name, as far as there are such, by id."""

    contacts: Mapping[str, Contact]
    campaigns: Mapping[str, Campaign]
    key_id: int | None = None  # the row of the key that asks
    numbers: frozenset[str] = frozenset()  # that a call may show, where it is of live mode

    def contact(self, contact_id: str) -> Contact:
        """The contact.

        Raises:
            NotFound: there is none, or it was erased.
        """
        if contact_id not in self.contacts:
            raise NotFound(f"Contact not found: {contact_id}.", code="contact_not_found")
        return self.contacts[contact_id]

    def campaign(self, campaign_id: str | None) -> Campaign | None:
        """The campaign, if one is named.

        Raises:
            NotFound: there is no such.
        """
        if campaign_id is None:
            return None
        if campaign_id not in self.campaigns:
            raise NotFound(f"Campaign not found: {campaign_id}.", code="campaign_not_found")
        return self.campaigns[campaign_id]


def look_up(
    actor: Actor, contact_id: str, campaign_id: str | None, *, mode: Mode = Mode.TEST, now: datetime
) -> tuple[Known, Facts | None]:
    """What one request names, the contact locked; and the facts, None where more must be read."""
    rows = [list(_rows_in(row)) for row in _ask(actor, contact_id, campaign_id, now)]
    if not rows:
        return Known(contacts={}, campaigns={}), None
    contact, campaign, _, switch, destinations, key_id, listed = rows[0]
    known = Known(
        contacts={contact.pk: contact},
        campaigns={campaign.pk: campaign} if campaign else {},
        key_id=key_id,
        numbers=live_numbers(mode),
    )
    if listed or settings.CALLS_PER_NUMBER_PER_DAY:
        return known, None
    return known, Facts(
        now=now,
        stop=switch or StopSwitch(pk=1),
        destinations=destinations or Destinations(pk=1),
        suppressions=(),
        consents={contact.pk: [consent for _, _, consent, *_ in rows if consent]},
        numbers_in_use=set(),  # at creation it is not asked what is up
        dialed={},
    )


def live_numbers(mode: str) -> frozenset[str]:
    """The numbers that a call of this mode may show, where it is live mode; none: there are no real lines."""
    return Number.objects.for_live() if mode == Mode.LIVE else frozenset()


def look_up_all(
    actor: Actor,
    contact_ids: Collection[str],
    campaign_ids: Collection[str],
    *,
    mode: Mode = Mode.TEST,
) -> Known:
    """What many requests name, the contacts locked in a fixed order; three queries, in live mode four."""
    contacts = Contact.objects.present().select_for_update(no_key=True).order_by("pk")
    key = ApiKey.objects.filter(public_id=actor.id).first() if actor.kind == "key" else None
    return Known(
        contacts={contact.pk: contact for contact in contacts.filter(pk__in=contact_ids)},
        campaigns=Campaign.objects.in_bulk(campaign_ids),
        key_id=key.pk if key else None,
        numbers=live_numbers(mode),
    )


def facts_of_all(calls: Sequence[Call], *, now: datetime) -> Iterator[Facts]:
    """The facts for each call's gates, read at once."""
    facts = Facts.read(calls, now=now)
    prefixes = [one for one in facts.suppressions if one.is_prefix]
    listed: dict[str, list[Suppression]] = defaultdict(list)
    for one in facts.suppressions:
        if not one.is_prefix:
            listed[one.number].append(one)
    for call in calls:
        # Each its own few: a thousand calls would look through a thousand suppressions each.
        yield replace(facts, suppressions=[*listed[call.contact.phone], *prefixes])


def _ask(actor: Actor, contact_id: str, campaign_id: str | None, now: datetime) -> list[tuple[Any, ...]]:
    names = {
        "contact_id": contact_id,
        "campaign_id": campaign_id,
        "key": actor.id if actor.kind == "key" else None,
        "now": connection.ops.adapt_datetimefield_value(now),
    }
    with connection.cursor() as cursor:
        cursor.execute(_one(), names)
        return list(cursor.fetchall())


@cache
def _one() -> str:
    columns = [f'{model._meta.db_table}."{name}"' for model, names in COLUMNS.items() for name in names]
    lock = LOCK if connection.features.has_select_for_update else ""
    return ONE.format(columns=", ".join(columns), lock=lock)


def _rows_in(values: Sequence[Any]) -> Iterator[Any]:
    """The joined row in its parts: one of each model, None where there is none; then the rest."""
    start = 0
    for model, names in COLUMNS.items():
        part = values[start : start + len(names)]
        yield None if part[0] is None else _from_db(model, names, part)
        start += len(names)
    yield from values[start:]


def _from_db(model: type[M], names: Sequence[str], values: Sequence[Any]) -> M:
    converted = [convert(value) for convert, value in zip(_converters(model, names), values, strict=True)]
    return model.from_db(DEFAULT_DB_ALIAS, names, converted)


@cache
def _converters(model: type[Model], names: tuple[str, ...]) -> list[Callable[[Any], Any]]:
    """How the ORM would read each column: SQLite has times as text, and both have JSON so."""
    columns = {field.attname: field.cached_col for field in model._meta.concrete_fields}
    return [_converter(columns[name]) for name in names]


def _converter(column: Any) -> Callable[[Any], Any]:
    steps = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert
