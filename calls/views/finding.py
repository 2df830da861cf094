"""Find people, calls and campaigns by a few letters: the palette over every page, and its page."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from calls.models import Call
from campaigns.models import Campaign
from contacts.models import Contact
from temphone.lib import ids
from temphone.pages import StaffRequest, page

MOST = 5  # of each kind
CAMPAIGNS_LOOKED_AT = 200  # the newest; their names are few, and have no index
LONGEST = 100
RECENT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found, of each kind."""

    contacts: Sequence[Contact] = field(default=())
    calls: Sequence[Call] = field(default=())
    campaigns: Sequence[Campaign] = field(default=())

    @property
    def is_empty(self) -> bool:
        """Whether nothing was."""
        return not (self.contacts or self.calls or self.campaigns)


@page
@require_safe
def find(request: StaffRequest) -> HttpResponse:
    """What the text finds; without one, what was opened lately, by the ids that the browser kept."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    recent = [] if text else request.GET.get("recent", "").split(",")[:RECENT]
    context = {"q": text, "found": _found(text) if text else _by_id(recent), "is_recent": not text}
    return render(request, "calls/find.html#options" if request.htmx else "calls/find.html", context)


def _found(text: str) -> Found:
    contacts = (
        [] if text.startswith(ids.CALL) else list(Contact.objects.present().matching(text, most=MOST)[:MOST])
    )
    return Found(contacts=contacts, calls=_calls(text, contacts), campaigns=_campaigns(text))


def _calls(text: str, contacts: Sequence[Contact]) -> list[Call]:
    calls = Call.objects.select_related("contact")
    if text.startswith(ids.CALL):
        return list(calls.filter(pk=text))
    return list(calls.filter(contact__in=contacts).newest()[:MOST]) if contacts else []


def _campaigns(text: str) -> list[Campaign]:
    """Those of the newest of which each word of the text begins one of the name."""
    terms = text.casefold().split()
    newest = Campaign.objects.order_by("-created_at", "-id")[:CAMPAIGNS_LOOKED_AT]
    return [one for one in newest if _begins(one.name.casefold().split(), terms)][:MOST]


def _begins(words: Sequence[str], terms: Sequence[str]) -> bool:
    return all(any(word.startswith(term) for word in words) for term in terms)


def _by_id(wanted: Sequence[str]) -> Found:
    return Found(
        contacts=list(Contact.objects.present().filter(pk__in=wanted)),
        calls=list(Call.objects.select_related("contact").filter(pk__in=wanted)),
        campaigns=list(Campaign.objects.filter(pk__in=wanted)),
    )
