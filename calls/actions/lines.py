"""Free lines: counted from the attempts that are up, not by a counter; and which of them a call may take.

A call of test mode goes by the simulated network, one of live mode by a trunk. Nothing else decides it.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.conf import settings
from django.db.models import Count, Q

from calls.gates import Room
from calls.models import Attempt, Call, Gateway, Number, Pacing, Trunk
from calls.models.trunks import CARRIERS, Leg
from temphone.accounts.models import Mode
from temphone.lib import phone
from temphone.telephony.messages import GatewayRef

BUSY = "No line is free, or the carrier's pace is reached; it waits."
K = TypeVar("K", bound=Hashable)
Busy = Sequence[tuple[str, str | None, str | None, int]]  # carrier, gateway, trunk, how many are up


@dataclass(slots=True, kw_only=True)
class Way:
    """One way for calls: the simulated network, or a trunk that is switched on."""

    leg: Leg
    trunk: str = ""
    priority: int = 0
    free: int | None = None  # of the trunk's own lines; None: it is only the gateways that count
    gateways: Sequence[str]  # that have it ready
    problem: str = BUSY  # why a call waits for it


@dataclass(slots=True, kw_only=True)
class Lines:
    """The lines that the calls of a mode have free, per gateway, and what the pace allows still."""

    gateways: Mapping[str, GatewayRef]
    per_gateway: dict[str, int]
    capped: dict[tuple[str, Leg], int]  # of those, what may be of one kind; absent: any
    allowed: dict[Leg, int]  # by the carriers' own limits; absent: it has none
    ways: Sequence[Way]
    trunks: Mapping[str, Trunk]  # all of them, for live mode
    numbers: Mapping[str, str | None]  # ours, each with the trunk that it goes by; None: by any
    default: str | None  # the number that is shown when a call names none
    free: int = 0  # when the claim began

    @classmethod
    def read(cls, mode: Mode, pacings: Sequence[Pacing], now: datetime) -> "Lines":
        """The free lines now. The caller holds the pacing rows, so nobody else takes one meanwhile.

        Calls of the other mode may take lines of the same gateway; one too many the gateway refuses, and it
        is dialled anew.
        """
        reachable = list(Gateway.objects.reachable(now))
        # Of all carriers, as the index on state has them: who is live is few, whom a carrier carried, many.
        up = Attempt.objects.live().values_list("carrier", "gateway", "trunk")
        busy = list(up.annotate(Count("pk")).order_by())
        numbers = list(Number.objects.values_list("e164", "trunk", "is_default"))
        trunks = {trunk.pk: trunk for trunk in Trunk.objects.all()} if mode == Mode.LIVE else {}
        on_gateway = _sum((gateway, count) for _, gateway, _, count in busy)
        of_kind = _sum(((gateway, carrier), count) for carrier, gateway, _, count in busy)
        lines = cls(
            gateways={row.pk: row.ref for row in reachable},
            per_gateway={row.pk: row.lines - on_gateway[row.pk] for row in reachable},
            capped={key: most - of_kind[key] for key, most in _most(trunks.values(), reachable)},
            allowed=_allowed(mode, pacings, _sum((carrier, count) for carrier, _, _, count in busy), now),
            ways=_trunks(trunks.values(), reachable, busy) if mode == Mode.LIVE else [_simulated(reachable)],
            trunks=trunks,
            numbers={e164: trunk for e164, trunk, _ in numbers},
            default=next((e164 for e164, _, is_default in numbers if is_default), None),
        )
        lines.free = lines.count
        return lines

    @property
    def count(self) -> int:
        """How many more calls may be dialled now, at most."""
        of_ways = _sum((way.leg, self._free_of(way)) for way in self.ways)
        serving = {(ledger, way.leg) for way in self.ways for ledger in way.gateways}
        of_carriers = _sum((leg, self._free_on(ledger, leg)) for ledger, leg in serving)
        paced = sum(min(free, of_carriers[leg], self.allowed.get(leg, free)) for leg, free in of_ways.items())
        gateways = {ledger for ledger, _ in serving}
        return max(0, min(paced, sum(max(0, self.per_gateway[ledger]) for ledger in gateways)))

    def at_most(self, limit: int) -> int:
        """How many calls to look at: no more than may be dialled, but some, lest late ones never end."""
        return min(limit, self.count or limit)

    def room_for(self, call: Call) -> Room:
        """Whether the call finds a line, and if not, why."""
        ways = self._ways_for(call)
        if any(map(self._is_open, ways)):
            return Room(free=self.free)
        return Room(free=0, problem=self._why_not(call, ways))

    def take(self, call: Call) -> tuple[Way, GatewayRef]:
        """Use one line, by the way that comes first, on the gateway that has the most.

        Only where there is room for the call.
        """
        way = min(
            filter(self._is_open, self._ways_for(call)), key=lambda way: (way.priority, -(way.free or 0))
        )
        ledger = max(way.gateways, key=lambda key: self._free_on(key, way.leg))
        self.per_gateway[ledger] -= 1
        if (ledger, way.leg) in self.capped:
            self.capped[ledger, way.leg] -= 1
        if way.free is not None:
            way.free -= 1
        if way.leg in self.allowed:
            self.allowed[way.leg] -= 1
        return way, self.gateways[ledger]

    def behind(self, calls: Sequence[Call]) -> tuple[int, Q] | None:
        """How many of these find no line, and which calls would; None where nobody else would.

        Some wait for lines of their own kind; those behind them, whose lines are free, must not wait too.
        """
        rest = replace(
            self,
            per_gateway=dict(self.per_gateway),
            capped=dict(self.capped),
            allowed=dict(self.allowed),
            ways=[replace(way) for way in self.ways],
        )
        waiting = 0
        for call in calls if self.trunks else ():
            if rest.room_for(call).problem:
                waiting += 1
            else:
                rest.take(call)
        free = [e164 for e164 in self.numbers if any(map(rest._is_open, rest._ways_from(e164)))]
        if not waiting or not free:
            return None
        found = Q(caller_number__in=free)
        return waiting, found | Q(caller_number=None) if self.default in free else found

    def caller_id(self, call: Call) -> str:
        """The number that the call shows, in E.164.

        Raises:
            ValueError: there is none.
        """
        if call.mode == Mode.LIVE:
            number = call.caller_number or self.default
            if number is None:
                raise ValueError("There is no number to call from.")
            return number
        return phone.to_e164(call.caller_id or self.default or settings.DEFAULT_CALLER_ID)

    def _ways_for(self, call: Call) -> Sequence[Way]:
        if call.mode == Mode.LIVE:
            return self._ways_from(call.caller_number or self.default)
        return self.ways

    def _ways_from(self, number: str | None) -> Sequence[Way]:
        """Those that may carry a live call from this number."""
        if number is None or number not in self.numbers:
            return ()
        bound = self.numbers[number]
        return [way for way in self.ways if way.trunk == bound] if bound else self.ways

    def _free_of(self, way: Way) -> int:
        on_gateways = sum(self._free_on(ledger, way.leg) for ledger in way.gateways)
        return on_gateways if way.free is None else max(0, min(way.free, on_gateways))

    def _free_on(self, ledger: str, leg: Leg) -> int:
        free = self.per_gateway[ledger]
        return max(0, min(free, self.capped.get((ledger, leg), free)))

    def _is_open(self, way: Way) -> bool:
        return self.allowed.get(way.leg, 1) > 0 and self._free_of(way) > 0

    def _why_not(self, call: Call, ways: Sequence[Way]) -> str:
        if call.mode == Mode.LIVE and not ways:
            return self._why_no_way(call.caller_number or self.default)
        if any(way.gateways for way in ways):
            return BUSY
        return " ".join(way.problem for way in ways)

    def _why_no_way(self, number: str | None) -> str:
        if number is None:
            return "There is no number to call from. An admin adds one under Trunks and numbers."
        if number not in self.numbers:
            shown = phone.for_people(number)
            return f"{shown} is no longer one of our numbers. Add it again, or change the call's caller ID."
        bound = self.numbers[number]
        return f"The trunk {self.trunks[bound]} is switched off." if bound else "No trunk is switched on."


def _sum(counts: Iterable[tuple[K, int]]) -> Counter[K]:
    total: Counter[K] = Counter()
    for key, count in counts:
        total[key] += count
    return total


def _simulated(reachable: Iterable[Gateway]) -> Way:
    return Way(leg="simulated", gateways=[row.pk for row in reachable if "simulated" in row.legs])


def _trunks(trunks: Iterable[Trunk], reachable: Sequence[Gateway], busy: Busy) -> list[Way]:
    in_use = _sum((trunk, count) for _, _, trunk, count in busy)
    return [
        Way(
            leg=trunk.leg,
            trunk=trunk.pk,
            priority=trunk.priority,
            free=trunk.lines - in_use[trunk.pk],
            gateways=[row.pk for row in reachable if row.has_ready(trunk)],
            problem=_why_nowhere(trunk, reachable),
        )
        for trunk in trunks
        if trunk.enabled
    ]


def _most(trunks: Collection[Trunk], reachable: Sequence[Gateway]) -> Iterator[tuple[tuple[str, Leg], int]]:
    for row in reachable:
        for trunk in trunks:
            if (most := row.most_over(trunk)) is not None:
                yield (row.pk, trunk.leg), most


def _why_nowhere(trunk: Trunk, reachable: Sequence[Gateway]) -> str:
    told = dict.fromkeys(row.problem_of(trunk) for row in reachable if row.problem_of(trunk))
    why = "; ".join(told) if reachable else "none is reachable"
    return f"No gateway has the trunk {trunk} ready{f': {why}' if why else ' yet'}."


def _allowed(mode: Mode, pacings: Sequence[Pacing], up: Mapping[str, int], now: datetime) -> dict[Leg, int]:
    started = _started(pacings, now)
    allowed: dict[Leg, int] = {}
    for leg in CARRIERS[mode]:
        (pacing,) = (row for row in pacings if row.carrier == leg)
        limits = [] if pacing.lines is None else [pacing.lines - up[leg]]
        if per_second := pacing.per_second:
            limits.append(per_second - started.get(leg, 0))
        if limits:
            allowed[leg] = min(limits)
    return allowed


def _started(pacings: Sequence[Pacing], now: datetime) -> Mapping[str, int]:
    """How many dials each carrier that has a limit began in the last second."""
    paced = [row.carrier for row in pacings if row.per_second]
    if not paced:
        return {}
    started = Attempt.objects.filter(carrier__in=paced, created_at__gt=now - timedelta(seconds=1))
    return dict(started.values_list("carrier").annotate(Count("pk")).order_by())
