"""What the list of contacts can be narrowed to."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from contacts.models import Contact

SAMPLE = 500  # of the newest contacts, for what a filter offers


class RecentValuesFilter(admin.SimpleListFilter):
    """Offers the values that the newest contacts have: a table of millions is never read whole."""

    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = Contact.objects.order_by("-created_at", "-id")[:SAMPLE]
        sample = Contact.objects.filter(pk__in=newest.values("pk")).order_by()
        values = sample.values_list(self.column, flat=True).distinct()
        return [(value, value) for value in sorted(values) if value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter((self.column, self.value())) if self.value() else queryset


class ZoneFilter(RecentValuesFilter):
    """Where people are."""

    title = "time zone"
    parameter_name = column = "timezone"


class LanguageFilter(RecentValuesFilter):
    """What people speak."""

    title = parameter_name = column = "language"


class SuppressedFilter(admin.SimpleListFilter):
    """Whether a number may be called."""

    title, parameter_name = "may be called", "callable"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No: suppressed")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {"yes": False, "no": True}.get(self.value() or "")
        return queryset if wanted is None else queryset.filter(suppressed=wanted)


class ErasedFilter(admin.SimpleListFilter):
    """Erased contacts are left out, unless asked for."""

    title, parameter_name = "erased", "erased"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Show erased")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(erased_at__isnull=self.value() != "yes")
