"""What a list of calls shows, as its address says: the view, its filters, its order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import urlencode

from django.db.models import Prefetch, Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from calls.forms import CallFilter
from calls.models import Attempt, Call
from calls.models.call import CallQuerySet, needing_attention
from calls.states import CallStatus
from temphone.accounts.models import User
from temphone.keyset import following
from temphone.pages import KeyPage, capped_count, read_page
from temphone.telephony.messages import Outcome

NEWEST = ("-scheduled_at", "-id")
VIEWS = {
    "upcoming": (_("Upcoming"), ("due_at", "id")),
    "live": (_("Live now"), NEWEST),
    "attention": (_("Needs attention"), NEWEST),
    "completed": (_("Completed"), NEWEST),
    "all": (_("All"), NEWEST),
}
CONDITIONS: dict[str, dict[str, object]] = {
    "upcoming": {"status": CallStatus.SCHEDULED},
    "live": {"status": CallStatus.IN_PROGRESS},
    "completed": {"status": CallStatus.COMPLETED},
    "all": {},
}
BY_SCHEDULED = frozenset({"agent", "mode"})  # filters that have no index by due_at
RELATED = ("contact", "campaign__agent", "agent")
# What a row of a list shows of a call and those that belong to it, and of its dials.
IN_A_ROW = (
    *("status", "outcome", "mode", "scheduled_at", "due_at", "hang_up_requested_at", "max_attempts"),
    *(f"contact__{name}" for name in ("first_name", "last_name", "phone", "timezone")),
    *("campaign__name", "campaign__agent__name", "agent__name"),
)
OF_ITS_DIALS = (
    *("call", "number", "state", "outcome", "duration_s", "trunk"),
    *("created_at", "accepted_at", "answered_at"),
)
KEPT = frozenset({*CallFilter.base_fields, "view", "sort"})


@dataclass(frozen=True, kw_only=True)
class Browsing:
    """A list of calls. Its calls come in parts that share none; an index gives each in its order."""

    form: CallFilter
    view: str
    is_turned: bool
    zone_name: str
    now: datetime
    params: QueryDict

    @classmethod
    def of(cls, params: QueryDict, user: User, now: datetime) -> "Browsing":
        """As these parameters of an address say; what is wrong in them is ignored."""
        view = params.get("view", "")
        return cls(
            form=CallFilter(params),
            view=view if view in VIEWS else "upcoming",
            is_turned=params.get("sort") == "turned",
            zone_name=user.timezone,
            now=now,
            params=params,
        )

    @property
    def query(self) -> str:
        """The address's query that leads here, on the first page."""
        return "?" + urlencode(self.kept)

    @property
    def kept(self) -> dict[str, str]:
        """The same as names and values."""
        kept = {name: str(value) for name, value in self.params.items() if name in KEPT and value}
        return {**kept, "view": self.view}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The order."""
        keys = self._order_of(self.view)
        return turned(keys) if self.is_turned else keys

    def _order_of(self, view: str) -> tuple[str, ...]:
        """A view's order, which an index has; days are those of the time that it is by."""
        keys: tuple[str, ...] = VIEWS[view][1]
        by_due = keys[0] == "due_at" and BY_SCHEDULED.isdisjoint(self.form.given)
        return keys if by_due or keys[0] != "due_at" else ("scheduled_at", "id")

    @cached_property
    def _found(self) -> CallQuerySet:
        return self.form.found(Call.objects.all())

    @cached_property
    def _filters(self) -> list[dict[str, object]]:
        return [{**speaker, **self.form.plain} for speaker in self.form.speakers if self._fits(speaker)]

    def _fits(self, speaker: Mapping[str, object]) -> bool:
        """Whether a speaker's campaign is the one that is asked for."""
        chosen = self.form.plain.get("campaign")
        return chosen is None or speaker.get("campaign", chosen) == chosen

    def parts(self, view: str | None = None, *, statuses: Sequence[str] = ()) -> list[CallQuerySet]:
        """The calls of the view, of these statuses alone where some are given."""
        view = view or self.view
        views = needing_attention(self.now) if view == "attention" else [CONDITIONS[view]]
        narrowed: list[dict[str, object]] = [{"status": one} for one in statuses] or [{}]
        order = self._order_of(view)
        matching = self.form.on_days(self._found, self.zone_name, by=_name(order[0]))
        return [
            matching.having(part, one, status, are_few="q" in self.form.given).order_by(*order)
            for part in views
            for one in self._filters
            for status in narrowed
        ]

    def count(self, view: str | None = None, *, statuses: Sequence[str] = ()) -> int:
        """How many, counted as far as counts go."""
        return capped_count(*self.parts(view, statuses=statuses))

    def late(self) -> int:
        """How many need attention because they came too late, as after an outage."""
        late = {"outcome": Outcome.EXPIRED}
        parts = [Call.objects.having(part, late).newest() for part in needing_attention(self.now)]
        return capped_count(*parts)

    def page(self) -> KeyPage[Call]:
        """The page that the parameters ask for."""
        parts = self.parts()
        whole = len(parts) == 1
        return read_page(
            with_rows(parts[0] if whole else Call.objects.all()),
            self.params,
            () if whole else parts,
            keys=self.keys,
        )

    def ids(self, statuses: Sequence[str], *, most: int) -> list[str]:
        """The ids of the first so many, in order."""
        names = [_name(key) for key in self.keys]
        found = [
            key
            for part in self.parts(statuses=statuses)
            for key in part.order_by(*self.keys).values_list(*names)[:most]
        ]
        found.sort(reverse=self.keys[0].startswith("-"))
        return [key[-1] for key in found[:most]]

    def neighbours(self, call: Call) -> tuple[str | None, str | None]:
        """The ids of the calls before and after it in the list, where it stands or would."""
        forth = self._next(call, self.keys)
        back = self._next(call, turned(self.keys))
        return back, forth

    def _next(self, call: Call, order: tuple[str, ...]) -> str | None:
        names = [_name(key) for key in order]
        place = Q(following(order, [getattr(call, name) for name in names]))
        firsts = [part.filter(place).order_by(*order).values_list(*names).first() for part in self.parts()]
        found = sorted((one for one in firsts if one), reverse=order[0].startswith("-"))
        return str(found[0][-1]) if found else None


def with_people(calls: CallQuerySet) -> CallQuerySet:
    """With all of the contact, the campaign, the agents, the dials and the marks."""
    return calls.select_related(*RELATED).prefetch_related("attempts", "marks")


def with_rows(calls: CallQuerySet) -> CallQuerySet:
    """With what a row of a list shows, and nothing else: reading all takes half as long again."""
    dials = Prefetch("attempts", Attempt.objects.only(*OF_ITS_DIALS))
    return calls.select_related(*RELATED).only(*IN_A_ROW).prefetch_related(dials, "marks")


def turned(keys: Sequence[str]) -> tuple[str, ...]:
    """The same order from its end."""
    return tuple(_name(key) if key.startswith("-") else f"-{key}" for key in keys)


def _name(key: str) -> str:
    return key.removeprefix("-")
