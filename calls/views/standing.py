"""How trunks are, in the words of their pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.db.models import Count
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from calls.models import Attempt, Gateway, Trunk

SHORT = 34  # letters that fit beside the trunk's name


@dataclass(frozen=True, kw_only=True)
class Place:
    """A trunk at one gateway."""

    gateway: Gateway
    state: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A trunk: whether it carries calls, where, and what is wrong."""

    trunk: Trunk
    gateways: Sequence[Gateway]  # that can be reached
    in_use: int  # lines

    @cached_property
    def places(self) -> list[Place]:
        """How it is at each gateway."""
        return [_place(gateway, self.trunk) for gateway in self.gateways]

    @cached_property
    def ready(self) -> int:
        """At how many gateways it is ready."""
        return sum(place.state == "ready" for place in self.places)

    @cached_property
    def problems(self) -> list[str]:
        """What gateways say is wrong, each once."""
        return list(dict.fromkeys(place.words for place in self.places if place.state == "failed"))

    @property
    def state(self) -> str:
        """One of the pills."""
        if not self.trunk.enabled:
            return "off"
        if not self.trunk.is_readable or not self.gateways:
            return "failed"
        if self.ready:
            return "ready"
        return "failed" if self.problems else "pending"

    @property
    def words(self) -> str:
        """What the pill says."""
        if not self.trunk.enabled:
            return _("Switched off")
        if not self.trunk.is_readable:
            return _("Secret cannot be read")
        if not self.gateways:
            return _("No gateway is running")
        if self.ready:
            return self._words_when_ready()
        if not self.problems:
            return _("Not tried yet")
        return self.problems[0] if self.is_short else _("Not ready")

    @property
    def notes(self) -> Sequence[str]:
        """What is to be said beneath."""
        if not self.trunk.enabled:
            return ()
        if not self.trunk.is_readable:
            return (_("SECRET_KEY has changed since it was typed. Type it again."),)
        return () if not self.ready and self.is_short else self.problems

    @property
    def is_short(self) -> bool:
        """Whether the pill can hold what is wrong."""
        return len(self.problems) == 1 and len(self.problems[0]) <= SHORT

    def _words_when_ready(self) -> str:
        everywhere = self.ready == len(self.gateways)
        if everywhere:
            return ngettext("Ready on {n} gateway", "Ready on {n} gateways", self.ready).format(n=self.ready)
        return _("Ready on {n} of {all} gateways").format(n=self.ready, all=len(self.gateways))


def _place(gateway: Gateway, trunk: Trunk) -> Place:
    if gateway.has_ready(trunk):
        return Place(gateway=gateway, state="ready", words=_("Ready"))
    if problem := gateway.problem_of(trunk):
        return Place(gateway=gateway, state="failed", words=capfirst(problem))
    return Place(gateway=gateway, state="pending", words=_("Not tried yet"))


def standings(trunks: Sequence[Trunk], now: datetime) -> list[Standing]:
    """How each of these is now; two queries."""
    gateways = list(Gateway.objects.reachable(now))
    up = Attempt.objects.live().filter(trunk__isnull=False).values_list("trunk")
    in_use = dict(up.annotate(Count("pk")).order_by())
    return [Standing(trunk=trunk, gateways=gateways, in_use=in_use.get(trunk.pk, 0)) for trunk in trunks]
