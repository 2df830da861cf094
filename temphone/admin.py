"""What the back office's pages share: whom they let in, how they count, how they act.

The role decides, as everywhere: Django's own permissions are not used. Changes go through actions,
which write the audit log; so Django's log of the admin, which would keep names, stays empty.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.http import urlencode
from django.utils.timezone import localtime
from django_q.models import Failure, OrmQ, Schedule, Success

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import User
from temphone.lib import clock
from temphone.lib.errors import DomainError

COUNT_CAP = 5_000
ACT_CAP = 1_000

# Generic for the type checker alone.
if TYPE_CHECKING:
    BasePaginator = Paginator[Any]
    ModelAdmin = admin.ModelAdmin[Any]
    ModelForm = forms.ModelForm[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    BasePaginator = Paginator
    ModelAdmin = admin.ModelAdmin
    ModelForm = forms.ModelForm
    TabularInline = admin.TabularInline

admin.site.site_title = admin.site.site_header = "TemPhone back office"
admin.site.index_title = "Everything that is kept"
admin.site.unregister([Failure, Group, OrmQ, Schedule, Success])


def actor_of(request: HttpRequest) -> Actor:
    """Whoever is logged in."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user.actor()


class CappedPaginator(BasePaginator):
    """Counts no further than the cap: a table of millions is never counted whole."""

    @cached_property
    def count(self) -> int:
        """How many rows, COUNT_CAP at most."""
        rows = cast("QuerySet[Any]", self.object_list)
        # Only ids: what is annotated would be asked of each row once more.
        return rows.order_by().values("pk")[:COUNT_CAP].count()


class Moments:
    """A column for rows that have an ``at``."""

    @admin.display(description="at")
    def moment(self, row: Any) -> str:
        """When it was, to the second, on the reader's clock."""
        return f"{localtime(row.at):%Y-%m-%d %H:%M:%S}"


class BackOffice(Moments, ModelAdmin):
    """A page of the back office. Nothing is deleted here, and what is history is only read."""

    sees = Role.VIEWER
    adds: Role | None = None
    changes: Role | None = None
    exact_search: tuple[str, ...] = ()  # indexed columns, searched for the whole of what is typed

    paginator = CappedPaginator
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.sees)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request, self.adds)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, self.changes)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """For actions that an operator may."""
        return may(request, Role.OPERATOR)

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """For actions that a manager may."""
        return may(request, Role.MANAGER)

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """For actions that an admin may."""
        return may(request, Role.ADMIN)

    def get_search_fields(self, request: HttpRequest) -> list[str] | tuple[str, ...]:
        return self.exact_search or super().get_search_fields(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        term = search_term.strip()
        if not self.exact_search:
            return super().get_search_results(request, queryset, term)
        found = Q.create([(column, term) for column in self.exact_search], connector=Q.OR)
        return queryset.filter(found) if term else queryset, False

    def audit_target(self, object_id: str) -> str:
        """What the audit log calls the row."""
        return object_id

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history of a row is what the audit log has of it."""
        found = urlencode({"q": self.audit_target(unquote(object_id))})
        return redirect(f"{reverse('admin:accounts_auditentry_changelist')}?{found}")

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; what a rule refuses after all is shown above it."""
        # The history of a row is in the audit log, which is for admins.
        context = {**(extra_context or {}), "sees_history": may(request, Role.ADMIN)}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except DomainError as error:
            self.message_user(request, error.message, messages.ERROR)
            return redirect(request.get_full_path())

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit log has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit log has it."""

    def each(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        act: Callable[..., object],
        *,
        by: str,
        done: str,
        column: str = "pk",
    ) -> None:
        """Do an action to each of the chosen rows, its ``column`` given as ``by``; say how it went."""
        actor, now = actor_of(request), clock.now()
        refused: Counter[str] = Counter()
        acted = 0
        for key in rows.order_by("pk").values_list(column, flat=True)[:ACT_CAP]:
            try:
                act(actor=actor, now=now, **{by: key})
                acted += 1
            except DomainError as error:
                refused[error.message] += 1
        if acted:
            self.message_user(request, f"{done}: {acted}.", messages.SUCCESS)
        for message, times in refused.items():
            self.message_user(request, f"{message} ({times})", messages.WARNING)

    def ask_first(
        self, request: HttpRequest, rows: QuerySet[Any], *, title: str, text: str
    ) -> HttpResponse | None:
        """A page that asks whether the action is meant; None when it was asked and the answer was yes."""
        if "confirmed" in request.POST:
            return None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "text": text,
            "action": request.POST["action"],
            "rows": rows.order_by("pk")[:ACT_CAP],
        }
        return TemplateResponse(request, "admin/ask_first.html", context)


class ReadOnlyInline(Moments, TabularInline):
    """Rows of a history below what they belong to."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def may(request: HttpRequest, role: Role | None) -> bool:
    """Whether whoever is logged in has the role; nobody has none."""
    return role is not None and isinstance(request.user, User) and request.user.actor().role.includes(role)


def lines(texts: Iterable[str]) -> str:
    """Each text on a line of its own."""
    return format_html_join("", "<div>{}</div>", ((text,) for text in texts))
