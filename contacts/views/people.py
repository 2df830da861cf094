"""The pages about people: list, page, form; consents and suppressions."""

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from calls.actions.forgetting import erase_contact
from calls.actions.suppression import suppress
from calls.models import Call, Decision
from calls.views.rows import Row
from calls.views.why import lately, told_of
from contacts.actions import add_consent, get_contact, lift_suppression, revoke_consent, save_contact
from contacts.forms import ConsentForm, ContactForm, RevokeForm, SuppressForm, values_of
from contacts.models import Consent, Contact, Suppression, tags_in_use
from temphone.accounts.actors import Role
from temphone.lib import clock
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, capped_count, dialog, page, read_page

BY_NAME = ("last_name", "first_name", "id")
LATEST_CALLS = 20
# A friendly person of the simulated network.
SOMEBODY: dict[str, object] = {"first_name": "Jordan", "phone": "+1 415 555 0100"}


@page
@require_safe
def contact_list(request: StaffRequest) -> HttpResponse:
    """All people by name, or those that match."""
    text, tag = request.GET.get("q", "").strip(), request.GET.get("tag", "").strip()
    people = Contact.objects.present().matching(text)
    if tag:
        people = people.with_tag_by_name(tag)
    context = {
        "q": text,
        "tag": tag,
        "tags": tags_in_use(),
        "count": capped_count(people.order_by()),
        "listing": read_page(people, request.GET, keys=BY_NAME),
    }
    return render(request, "contacts/list.html#results" if request.htmx else "contacts/list.html", context)


@page
@require_safe
def contact_page(request: StaffRequest, contact_id: str) -> HttpResponse:
    """One person: their calls, consents, and whether their number may be called."""
    now = clock.now()
    contact = get_contact(contact_id)
    calls = list(_latest_calls(contact))
    context = {
        "contact": contact,
        "now": now,
        "rows": [Row(call=call, at=call.scheduled_at, now=now) for call in calls],
        "lately": lately(calls),
        "consents": contact.consents.all(),
        "suppressions": _suppressions(contact, now),
    }
    return render(request, "contacts/detail.html", context)


@page
@require_safe
def contact_decisions(request: StaffRequest, contact_id: str) -> HttpResponse:
    """Every decision over the calls to one person, the newest first, with what each rule saw."""
    contact = get_contact(contact_id)
    decisions = Decision.objects.about(contact)
    # Which they are is read from indexes; only of those that are shown what the rules said.
    listing = read_page(
        decisions.select_related("call", "attempt"), request.GET, parts=[decisions], keys=("-id",)
    )
    context = {"contact": contact, "listing": listing, "decisions": told_of(listing.rows)}
    return render(request, "contacts/decisions.html", context)


def _latest_calls(contact: Contact) -> QuerySet[Call]:
    calls = Call.objects.filter(contact=contact).select_related("campaign").prefetch_related("attempts")
    return calls.newest()[:LATEST_CALLS]


def _suppressions(contact: Contact, now: datetime) -> list[Suppression]:
    found = Suppression.objects.in_force(now).covering([contact.phone])
    return [one for one in found if one.covers(contact.phone)]


@page
@require_http_methods(["GET", "HEAD", "POST"])
def contact_new(request: StaffRequest) -> HttpResponse:
    """A new person; with ``?then=call`` somebody who answers is proposed, and the call comes next."""
    return _edit(request, None, SOMEBODY if _then_call(request) else {})


@page
@require_http_methods(["GET", "HEAD", "POST"])
def contact_edit(request: StaffRequest, contact_id: str) -> HttpResponse:
    """Change what we know of a person."""
    contact = get_contact(contact_id)
    return _edit(request, contact, values_of(contact))


def _then_call(request: StaffRequest) -> bool:
    return request.GET.get("then") == "call"


def _edit(request: StaffRequest, contact: Contact | None, initial: dict[str, object]) -> HttpResponse:
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    form = ContactForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = save_contact(
                actor=actor,
                contact_id=contact.pk if contact else None,
                values=form.cleaned_data,
                now=clock.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("{name} is saved.").format(name=saved.name))
            if _then_call(request):
                return redirect(f"{reverse('call-new')}?contact={saved.pk}")
            return redirect("contact", contact_id=saved.pk)
    context = {"form": form, "contact": contact}
    return render(request, "contacts/form.html", context)


def _ask(
    request: StaffRequest,
    contact: Contact,
    *,
    role: Role,
    template: str,
    form: forms.Form,
    act: Callable[[forms.Form], str],
    **context: object,
) -> HttpResponse:
    """Show a form about a contact as page or dialog; sent and valid, act and go back to the contact."""
    request.user.actor().require(role)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, act(form))
        except DomainError as error:
            messages.error(request, error.message)
        return redirect("contact", contact_id=contact.pk)
    context |= {"contact": contact, "form": form}
    return dialog(request, f"contacts/{template}.html", context)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def consent_add(request: StaffRequest, contact_id: str) -> HttpResponse:
    """Record a consent."""

    def act(form: forms.Form) -> str:
        actor, now = request.user.actor(), clock.now()
        add_consent(actor=actor, contact_id=contact_id, now=now, **form.cleaned_data)
        return _("The consent is recorded.")

    form, contact = ConsentForm(request.POST or None), get_contact(contact_id)
    return _ask(request, contact, role=Role.MANAGER, template="consent", form=form, act=act)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def consent_revoke(request: StaffRequest, contact_id: str, consent_id: int) -> HttpResponse:
    """Record that a consent holds no more."""

    def act(form: forms.Form) -> str:
        revoke_consent(
            actor=request.user.actor(), consent_id=consent_id, now=clock.now(), **form.cleaned_data
        )
        return _("The consent is revoked.")

    form, contact = RevokeForm(request.POST or None), get_contact(contact_id)
    consent = get_object_or_404(Consent, contact=contact, pk=consent_id)
    return _ask(request, contact, role=Role.MANAGER, template="revoke", form=form, act=act, consent=consent)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def contact_suppress(request: StaffRequest, contact_id: str) -> HttpResponse:
    """Never call the contact's number again."""
    contact = get_contact(contact_id)

    def act(form: forms.Form) -> str:
        suppress(actor=request.user.actor(), number=contact.phone, now=clock.now(), **form.cleaned_data)
        return _("The number will not be called.")

    form = SuppressForm(request.POST or None)
    return _ask(request, contact, role=Role.OPERATOR, template="suppress", form=form, act=act)


@page
@require_http_methods(["GET", "HEAD", "POST"])
def contact_lift(request: StaffRequest, contact_id: str, suppression_id: int) -> HttpResponse:
    """Let the contact's number be called again."""

    def act(_form: forms.Form) -> str:
        lift_suppression(actor=request.user.actor(), suppression_id=suppression_id, now=clock.now())
        return _("The number may be called again.")

    form, contact = forms.Form(request.POST if request.method == "POST" else None), get_contact(contact_id)
    # Of this number: whoever confirms reads the name of this contact.
    get_object_or_404(Suppression, pk=suppression_id, number=contact.phone)
    return _ask(
        request,
        contact,
        role=Role.MANAGER,
        template="lift",
        form=form,
        act=act,
        suppression_id=suppression_id,
    )


@page
@require_http_methods(["GET", "HEAD", "POST"])
def contact_erase(request: StaffRequest, contact_id: str) -> HttpResponse:
    """Ask, then forget who somebody is."""
    actor = request.user.actor()
    actor.require(Role.MANAGER)
    contact = get_contact(contact_id)
    if request.method != "POST":
        has_calls = contact.calls.filter(outcome=None).exists()
        return dialog(request, "contacts/erase.html", {"contact": contact, "has_calls": has_calls})
    try:
        erase_contact(actor=actor, contact_id=contact_id, now=clock.now())
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("contact", contact_id=contact_id)
    messages.success(request, _("The person is erased."))
    return redirect("contact-list")
