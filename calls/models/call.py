"""A call: our intent to reach a contact."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import ClassVar

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Value, When
from django.db.models.functions import Concat, Upper

from calls.states import (
    ANSWERED_BY_CHOICES,
    FINAL,
    LIVE,
    OUTCOME_CHOICES,
    OUTCOME_LABELS,
    CallStatus,
)
from campaigns.models import Agent, Campaign
from contacts.models import Contact, ContactWord, Purpose
from temphone.accounts.models import ApiKey, Mode, User
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.telephony.messages import Outcome

DEFAULT_MAX_DURATION_S = 900
DEFAULT_MAX_ATTEMPTS = 3
OVERDUE_AFTER = timedelta(minutes=2)
ATTENTION_FOR = timedelta(days=14)
# Whose index does not begin with the mode, and is better than one that does.
WITHOUT_MODE = {"outcome", "contact", "contact_id", "campaign", "campaign_id", "agent", "seen_at"}
IN_THE_WAY = {"status", "outcome", "campaign", "mode"}  # whose indexes are worse than that of the contact
MOST_PEOPLE = 200  # whose calls a search looks at


def unindexed(column: str) -> Concat:
    """A text column written so that no index has it, where SQLite would take that and read far too much."""
    return Concat(column, Value(""))


class CallQuerySet(models.QuerySet["Call"]):
    """Reads of calls."""

    def waiting(self, now: datetime) -> "CallQuerySet":
        """Calls whose time has come, the longest due first; also those that something holds."""
        return self.filter(status=CallStatus.SCHEDULED, due_at__lte=now).order_by("due_at", "id")

    def claimable(self, now: datetime) -> "CallQuerySet":
        """Calls whose time has come, but for those whose number has a call up already."""
        from calls.models.attempt import Attempt

        number_in_use = Exists(Attempt.objects.filter(to=OuterRef("contact__phone"), state__in=LIVE))
        # Within a Case, so that PostgreSQL looks each number up. It would join the live attempts, of which
        # its statistics know few when many calls have just begun, and compare each with each.
        is_free = Case(When(number_in_use, then=False), default=True)
        return self.waiting(now).filter(is_free)

    def newest(self) -> "CallQuerySet":
        """By the time they were scheduled for, the latest first; the order of every list."""
        return self.order_by("-scheduled_at", "-id")

    def matching(self, text: str) -> "CallQuerySet":
        """The call with this id, or the calls of the first contacts that match the text."""
        text = text.strip()
        if text.startswith(ids.CALL):
            return self.filter(pk=text)
        if text.startswith(ids.CONTACT):
            return self.filter(contact=text)
        return self.filter(contact__in=ContactWord.objects.search(text, most=MOST_PEOPLE)) if text else self

    def having(self, *conditions: Mapping[str, object], are_few: bool = False) -> "CallQuerySet":
        """The calls that meet them all; ``are_few``: these are those of some people, which an index gives.

        Where they contradict each other, no database is asked: it would read all calls of the one status
        to find that none has the other.
        """
        all_of: dict[str, object] = {}
        for name, value in chain.from_iterable(one.items() for one in conditions):
            if all_of.setdefault(name, value) != value:
                return self.none()
        if "outcome" in all_of and all_of.get("status", CallStatus.COMPLETED) not in FINAL:
            return self.none()
        if "mode" in all_of and not are_few and not all_of.keys() & WITHOUT_MODE:
            all_of["mode_alone"] = str(all_of.pop("mode")).upper()
        calls = self.alias(mode_alone=Upper("mode"))
        # SQLite takes the index of a status, without knowing how many calls have it, and reads them all.
        for name in all_of.keys() & IN_THE_WAY if are_few else ():
            value = all_of.pop(name)
            calls = calls.alias(**{f"{name}_read": unindexed(name)})
            all_of[f"{name}_read"] = getattr(value, "pk", value)
        return calls.filter(**all_of)


def needing_attention(now: datetime) -> list[dict[str, object]]:
    """Of the last days, and seen by nobody: failed, asked to be called back, not dialled although long due.

    Conditions of three reads that share no call: each takes its first from an index; one read of their
    OR would take all, and sort them.
    """
    lately, overdue = {"scheduled_at__gt": now - ATTENTION_FOR}, now - OVERDUE_AFTER
    # Nothing is due before it is scheduled; so the index passes over what is yet to come.
    waiting = {"status": CallStatus.SCHEDULED, "due_at__lt": overdue, "scheduled_at__lt": overdue}
    unseen = {**lately, "seen_at": None, "outcome__isnull": False}
    return [
        {**unseen, "status": CallStatus.FAILED},
        {**unseen, "outcome": Outcome.CALLBACK_REQUESTED},
        {**lately, **waiting},
    ]


def needs_attention(call: "Call", now: datetime) -> bool:
    """Whether it is among those of ``needing_attention``."""
    if call.scheduled_at <= now - ATTENTION_FOR:
        return False
    if call.status == CallStatus.SCHEDULED:
        return call.due_at < now - OVERDUE_AFTER
    ended_so = call.status == CallStatus.FAILED or call.outcome == Outcome.CALLBACK_REQUESTED
    return ended_so and call.seen_at is None


class Call(models.Model):
    """Our intent to reach a contact: whom, when, with what message."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.call_id, editable=False)
    # The foreign keys have no index of their own: those below begin with them, or nobody looks for them.
    contact = models.ForeignKey(Contact, on_delete=models.PROTECT, related_name="calls", db_index=False)
    campaign = models.ForeignKey(
        Campaign, null=True, blank=True, on_delete=models.PROTECT, related_name="calls", db_index=False
    )
    agent = models.ForeignKey(
        Agent,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="Who speaks; empty: the campaign's, or the default agent.",
    )
    mode = models.CharField(max_length=4, choices=Mode)
    status = models.CharField(max_length=11, choices=CallStatus, default=CallStatus.SCHEDULED)
    version = models.PositiveIntegerField(default=1)
    outcome = models.CharField(max_length=20, null=True, blank=True, choices=OUTCOME_CHOICES)
    answered_by = models.CharField(max_length=10, null=True, blank=True, choices=ANSWERED_BY_CHOICES)

    scheduled_at = models.DateTimeField(help_text="The time asked for; only a reschedule changes it.")
    due_at = models.DateTimeField(help_text="When to dial; moved by retry and defer too.")
    timezone = models.CharField(max_length=64, help_text="The zone asked for, else the contact's.")
    initial_message = models.TextField(help_text="As sent; rendered for each attempt.")
    max_duration_s = models.PositiveIntegerField(default=DEFAULT_MAX_DURATION_S)
    max_attempts = models.PositiveSmallIntegerField(default=DEFAULT_MAX_ATTEMPTS)
    caller_id = models.CharField(max_length=32, blank=True, help_text="As sent; empty: the default number.")
    # NULL, so that the column comes without a look at the rows: nobody knows it of the calls before.
    caller_number = models.CharField(
        max_length=16,
        null=True,
        blank=True,
        editable=False,
        help_text="A live call's caller ID in E.164; none: the default number.",
    )
    metadata = models.JSONField(null=True, blank=True)
    recording_enabled = models.BooleanField(default=True)
    webhook_url = models.CharField(max_length=2048, blank=True)

    hang_up_requested_at = models.DateTimeField(null=True, blank=True, editable=False)
    seen_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When somebody dealt with what had come of it."
    )
    events_sent = models.PositiveIntegerField(default=0, editable=False)
    recording_ms = models.PositiveIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="How long its latest recording is; null: there is none.",
    )
    created_by_key = models.ForeignKey(
        ApiKey, null=True, blank=True, on_delete=models.SET_NULL, editable=False, db_index=False
    )
    created_by_user = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.SET_NULL, editable=False, db_index=False
    )
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)

    objects = CallQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # Not partial: SQLite takes no partial index for a status that is a parameter.
            models.Index(fields=["status", "due_at", "id"], name="call_due"),
            models.Index(
                fields=["status", "mode", "due_at", "id"],
                name="call_single_due",
                condition=Q(campaign__isnull=True),
            ),
            # The others each have the order of a list, to the id: a campaign's calls share an instant.
            models.Index(fields=["-scheduled_at", "-id"], name="call_newest"),
            models.Index(fields=["status", "-scheduled_at", "-id"], name="call_status_newest"),
            # Of an expression, so that they serve whom having() sends there, and nobody else: nearly all
            # calls are of one mode, and PostgreSQL preferred this way to that of a campaign or outcome.
            models.Index(Upper("mode"), F("scheduled_at").desc(), F("id").desc(), name="call_mode_newest"),
            models.Index(
                Upper("mode"),
                "status",
                F("scheduled_at").desc(),
                F("id").desc(),
                name="call_mode_status_newest",
            ),
            models.Index(fields=["contact", "-scheduled_at", "-id"], name="call_contact_newest"),
            # Partial, so that scheduling pays nothing where there is none; and SQLite takes these: what
            # equals a parameter is not null.
            models.Index(
                fields=["campaign", "-scheduled_at", "-id"],
                name="call_campaign_newest",
                condition=Q(campaign__isnull=False),
            ),
            models.Index(
                fields=["campaign", "status", "-scheduled_at", "-id"],
                name="call_campaign_status_newest",
                condition=Q(campaign__isnull=False),
            ),
            models.Index(
                fields=["campaign", "outcome", "-scheduled_at", "-id"],
                name="call_campaign_outcome_newest",
                condition=Q(campaign__isnull=False, outcome__isnull=False),
            ),
            models.Index(
                fields=["campaign", "status", "due_at", "id"],
                name="call_campaign_due",
                condition=Q(campaign__isnull=False),
            ),
            # Where some numbers have no line, the claim looks for what the others may call.
            models.Index(
                fields=["campaign", "status", "caller_number", "due_at", "id"],
                name="call_of_number_due",
                condition=Q(caller_number__isnull=False),
            ),
            models.Index(
                fields=["agent", "status", "-scheduled_at", "-id"],
                name="call_agent_status_newest",
                condition=Q(agent__isnull=False),
            ),
            models.Index(
                fields=["agent", "-scheduled_at", "-id"],
                name="call_agent_newest",
                condition=Q(agent__isnull=False),
            ),
            # Whatever many were seen, the first that was not is found at once; of one mode without a look
            # at the rows of the other.
            models.Index(
                fields=["status", "-scheduled_at", "-id", "mode"],
                name="call_status_unseen",
                condition=Q(outcome__isnull=False, seen_at=None),
            ),
            models.Index(
                fields=["outcome", "-scheduled_at", "-id", "mode"],
                name="call_outcome_mode_unseen",
                condition=Q(outcome__isnull=False, seen_at=None),
            ),
            models.Index(
                fields=["outcome", "-scheduled_at", "-id", "mode", "campaign"],
                name="call_outcome_newest",
                condition=Q(outcome__isnull=False),
            ),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(status__in=CallStatus.values), name="call_status_known"),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="call_mode_known"),
            models.CheckConstraint(
                condition=Q(outcome=None) | Q(outcome__in=[outcome.value for outcome in Outcome]),
                name="call_outcome_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=FINAL, outcome__isnull=False)
                | (~Q(status__in=FINAL) & Q(outcome=None)),
                name="call_outcome_when_final",
            ),
            models.CheckConstraint(
                condition=Q(max_duration_s__range=(10, 7200)), name="call_duration_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in FINAL

    @property
    def purpose(self) -> str:
        """The campaign's purpose; a single call informs."""
        return self.campaign.purpose if self.campaign else Purpose.INFORMATIONAL

    @property
    def speaker_id(self) -> str | None:
        """The id of the agent that it or its campaign chose; None: the default agent speaks."""
        return self.agent_id or (self.campaign.agent_id if self.campaign else None)

    @property
    def outcome_label(self) -> str:
        """The outcome in plain words; empty while there is none."""
        return str(OUTCOME_LABELS[Outcome(self.outcome)]) if self.outcome else ""
