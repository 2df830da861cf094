"""The page about where calls may go: managers see it, admins change it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from calls.actions.destinations import set_destinations
from calls.forms.destinations import DestinationsForm
from contacts.models import CostlyKind, Destinations
from temphone.accounts.actors import Role
from temphone.lib import clock, countries
from temphone.lib.errors import DomainError
from temphone.pages import StaffRequest, page


@page
@require_http_methods(["GET", "HEAD", "POST"])
def destinations_page(request: StaffRequest) -> HttpResponse:
    """The countries and kinds of numbers that are called, as they stand; a form for admins."""
    actor = request.user.actor()
    actor.require(Role.ADMIN if request.method == "POST" else Role.MANAGER)
    destinations = Destinations.read()
    form = DestinationsForm(request.POST if request.method == "POST" else None, destinations=destinations)
    if form.is_valid():
        try:
            set_destinations(
                actor=actor,
                countries=form.chosen,
                kinds=form.cleaned_data["kinds"],
                version=form.cleaned_data["version"],
                now=clock.now(),
            )
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Saved. It holds from the next call on."))
            return redirect("destinations")
    names = countries.names(get_language() or "en")
    context = {
        "form": form,
        "destinations": destinations,
        "countries": [name for region, name in names.items() if region in destinations.countries],
        "kinds": [CostlyKind(kind).label for kind in destinations.kinds],
    }
    return render(request, "calls/destinations.html", context)
