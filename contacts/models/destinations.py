"""Where calls may go: the countries, and the kinds of numbers that cost more than others."""

from collections.abc import Collection
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from temphone.lib import countries, phone
from temphone.lib.clock import now as utc_now
from temphone.lib.phone import Place
from temphone.said import in_english


class CostlyKind(models.TextChoices):
    """Kinds of numbers that are not called unless somebody allows it; as ``phone.place_of`` names them."""

    PREMIUM_RATE = "premium_rate", _("Premium-rate numbers")
    SHARED_COST = "shared_cost", _("Shared-cost numbers")
    PERSONAL_NUMBER = "personal_number", _("Personal numbers")
    PAGER = "pager", _("Pagers")
    NETWORK = "network", _("Satellites and networks of no country")


class Destinations(models.Model):
    """Where calls may go. One row at most; before the first, to every country, and to no costly kind."""

    countries = models.JSONField(default=list, help_text="Regions of two letters; empty: every country.")
    kinds = models.JSONField(default=list, help_text="The costly kinds that may be called.")
    version = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=utc_now)
    changed_by = models.CharField(max_length=150, blank=True)

    class Meta:
        verbose_name_plural = "destinations"
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="one_destinations")]

    def __str__(self) -> str:
        return ", ".join(self.countries) or "every country"

    @classmethod
    def read(cls) -> "Destinations":
        """As they stand."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def why_not(self, place: Place) -> str:
        """Why no call may go there, in plain words, with the mend; empty: it may.

        A network of no country is in no list of countries: there it is the kind alone that counts.
        """
        if place.kind and place.kind not in self.kinds:
            label = in_english(CostlyKind(place.kind).label).lower()
            return (
                f"Numbers of this kind are not called: {label}. "
                "An admin can allow them under Setup, Where calls may go."
            )
        if not self.countries or place.region in self.countries or place.kind == CostlyKind.NETWORK:
            return ""
        if not place.region:
            return "Calls may go to some countries only, and the country of this number is not known."
        country = countries.name(place.region)
        return f"Calls to {country} are not allowed. An admin can allow them under Setup, Where calls may go."

    def barred(self, numbers: Collection[str]) -> frozenset[str]:
        """Which of the numbers no call may go to."""
        return frozenset(number for number in numbers if self.why_not(phone.place_of(number)))
