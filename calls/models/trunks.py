"""Real lines: the trunks that carry live calls, and the numbers that they are made from."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal, TypeAlias, cast

from django.conf import settings
from django.db import models
from django.db.models import Case, Exists, F, Q, When

from temphone.accounts.models import Mode
from temphone.lib import ids
from temphone.lib.clock import now as utc_now
from temphone.lib.sealing import Unreadable, seal, unseal
from temphone.telephony.messages import SipTrunk, TwilioTrunk
from temphone.telephony.messages import Trunk as TrunkMessage

MOST_LINES = 10_000
TWILIO = "https://api.twilio.com"
Leg: TypeAlias = Literal["simulated", "sip", "twilio"]
# The kinds of leg that carry the calls of each mode; each has its pace. Test mode never rings anybody.
CARRIERS: Mapping[Mode, Sequence[Leg]] = {Mode.TEST: ("simulated",), Mode.LIVE: ("sip", "twilio")}
Wire: TypeAlias = Literal["udp", "tcp", "tls"]


class TrunkKind(models.TextChoices):
    """How we speak with whoever has the lines; also the kind of leg that carries their calls."""

    SIP = "sip", "SIP"
    TWILIO = "twilio", "Twilio"


class Transport(models.TextChoices):
    """What SIP messages travel by."""

    UDP = "udp", "UDP"
    TCP = "tcp", "TCP"
    TLS = "tls", "TLS"


class TrunkQuerySet(models.QuerySet["Trunk"]):
    """Reads of trunks."""

    def enabled(self) -> "TrunkQuerySet":
        """Those that may carry calls."""
        return self.filter(enabled=True)


class Trunk(models.Model):
    """Lines at a provider. Its password or token is kept sealed, and given to gateways alone."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.trunk_id, editable=False)
    name = models.CharField(max_length=60, unique=True)
    kind = models.CharField(max_length=10, choices=TrunkKind)
    enabled = models.BooleanField(default=True)
    lines = models.PositiveIntegerField(default=10, help_text="Calls at once, over all gateways.")
    priority = models.PositiveSmallIntegerField(
        default=10, help_text="Of several with a free line, that with the lowest carries the call."
    )
    sealed = models.TextField(blank=True, editable=False, help_text="The password or token, encrypted.")

    host = models.CharField(max_length=253, blank=True)
    port = models.PositiveIntegerField(default=5060)
    transport = models.CharField(max_length=3, choices=Transport, default=Transport.UDP)
    user = models.CharField(max_length=100, blank=True, help_text="Empty: the provider knows our address.")
    registers = models.BooleanField(default=False)

    account_sid = models.CharField(max_length=64, blank=True)
    api_url = models.CharField(max_length=200, default=TWILIO)

    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)

    objects = TrunkQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["priority", "created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(transport__in=Transport.values), name="trunk_transport_known"),
            models.CheckConstraint(condition=Q(lines__range=(1, MOST_LINES)), name="trunk_lines_in_range"),
            models.CheckConstraint(condition=Q(port__range=(1, 65_535)), name="trunk_port_in_range"),
            models.CheckConstraint(
                condition=(Q(kind=TrunkKind.SIP) & ~Q(host=""))
                | (Q(kind=TrunkKind.TWILIO) & ~Q(account_sid="") & ~Q(sealed="")),
                name="trunk_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def leg(self) -> Leg:
        """The kind of leg that carries its calls."""
        return "twilio" if self.kind == TrunkKind.TWILIO else "sip"

    @property
    def secret(self) -> str:
        """The password or token.

        Raises:
            Unreadable: it was sealed under another SECRET_KEY.
        """
        return unseal(self.sealed, secret=settings.SECRET_KEY) if self.sealed else ""

    @secret.setter
    def secret(self, text: str) -> None:
        self.sealed = seal(text, secret=settings.SECRET_KEY) if text else ""

    @property
    def is_readable(self) -> bool:
        """Whether its password or token can be given to gateways."""
        try:
            return self.secret is not None
        except Unreadable:
            return False

    @property
    def message(self) -> TrunkMessage:
        """What a gateway is told of it, the secret included: for the answer to its heartbeat alone.

        Raises:
            Unreadable
        """
        if self.kind == TrunkKind.TWILIO:
            return TwilioTrunk(
                id=self.pk,
                lines=self.lines,
                account_sid=self.account_sid,
                auth_token=self.secret,
                api_url=self.api_url,
            )
        return SipTrunk(
            id=self.pk,
            lines=self.lines,
            host=self.host,
            port=self.port,
            transport=cast("Wire", self.transport),
            user=self.user,
            password=self.secret,
            registers=self.registers,
        )


class NumberQuerySet(models.QuerySet["Number"]):
    """Reads of numbers."""

    def for_live(self) -> frozenset[str]:
        """The numbers that live calls may show; none as long as no enabled trunk would carry any."""
        by_any = Exists(Trunk.objects.enabled())
        is_carried = Case(When(trunk=None, then=by_any), default=F("trunk__enabled"))
        numbers = dict(self.annotate(is_carried=is_carried).values_list("e164", "is_carried"))
        return frozenset(numbers) if any(numbers.values()) else frozenset()


class Number(models.Model):
    """A number that calls are made from: what the callee sees."""

    id = models.CharField(max_length=64, primary_key=True, default=ids.number_id, editable=False)
    e164 = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=60, blank=True)
    trunk = models.ForeignKey(
        Trunk,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="numbers",
        help_text="Calls from it go by this trunk alone; empty: by any.",
    )
    is_default = models.BooleanField(default=False, help_text="Shown when a call names no number.")
    created_at = models.DateTimeField(default=utc_now, editable=False)
    updated_at = models.DateTimeField(default=utc_now, editable=False)

    objects = NumberQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-is_default", "e164"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_number"
            ),
        ]

    def __str__(self) -> str:
        return self.e164
