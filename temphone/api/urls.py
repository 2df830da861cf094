"""The addresses under ``/v1``."""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import path, re_path, register_converter, resolve
from django.urls.converters import StringConverter
from django.views.decorators.csrf import csrf_exempt

from calls import api as calls
from campaigns import api as campaigns
from contacts import api as contacts
from temphone.api.envelope import ROOT
from temphone.api.views import Document, Pages
from temphone.webhooks import api as webhooks


class IdConverter(StringConverter):
    """The id of a call, contact, campaign or endpoint; what cannot be one is an unknown address."""

    regex = "[A-Za-z0-9_-]{1,64}"


class RowConverter(StringConverter):
    """The number of a row, within what a database can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> Any:
        """The number."""
        return int(value)


register_converter(IdConverter, "id")
register_converter(RowConverter, "row")


@csrf_exempt
def without_slash(request: HttpRequest, address: str) -> HttpResponseBase:
    """The view of the same address without the slash at its end; a redirect would lose the body."""
    match = resolve(f"{ROOT}/{address}")
    answer: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return answer


urlpatterns = [
    path("calls", calls.Calls.as_view(), name="api-calls"),
    path("calls/scheduled", calls.ScheduledCalls.as_view(), name="api-calls-scheduled"),
    path("calls/scheduled/batch", calls.ScheduledBatch.as_view(), name="api-calls-batch"),
    path("calls/<id:call_id>", calls.CallDetail.as_view(), name="api-call"),
    path("calls/<id:call_id>/cancel", calls.CancelCall.as_view(), name="api-call-cancel"),
    path("calls/<id:call_id>/recording", calls.CallRecording.as_view(), name="api-call-recording"),
    path("contacts", contacts.Contacts.as_view(), name="api-contacts"),
    path("contacts/<id:contact_id>", contacts.ContactDetail.as_view(), name="api-contact"),
    path("contacts/<id:contact_id>/consents", contacts.Consents.as_view(), name="api-consents"),
    path("consents/<row:consent_id>/revoke", contacts.RevokeConsent.as_view(), name="api-consent-revoke"),
    path("suppressions", contacts.Suppressions.as_view(), name="api-suppressions"),
    path("suppressions/<row:suppression_id>", contacts.SuppressionDetail.as_view(), name="api-suppression"),
    path(
        "suppressions/<row:suppression_id>/lift",
        contacts.LiftSuppression.as_view(),
        name="api-suppression-lift",
    ),
    path("campaigns", campaigns.Campaigns.as_view(), name="api-campaigns"),
    path("campaigns/<id:campaign_id>", campaigns.CampaignDetail.as_view(), name="api-campaign"),
    path("campaigns/<id:campaign_id>/pause", campaigns.PauseCampaign.as_view(), name="api-campaign-pause"),
    path("campaigns/<id:campaign_id>/resume", campaigns.ResumeCampaign.as_view(), name="api-campaign-resume"),
    path("campaigns/<id:campaign_id>/cancel", campaigns.CancelCampaign.as_view(), name="api-campaign-cancel"),
    path("webhook-endpoints", webhooks.Endpoints.as_view(), name="api-endpoints"),
    path("webhook-endpoints/<id:endpoint_id>", webhooks.EndpointDetail.as_view(), name="api-endpoint"),
    path(
        "webhook-endpoints/<id:endpoint_id>/enable",
        webhooks.EnableEndpoint.as_view(),
        name="api-endpoint-enable",
    ),
    path(
        "webhook-endpoints/<id:endpoint_id>/disable",
        webhooks.DisableEndpoint.as_view(),
        name="api-endpoint-disable",
    ),
    path(
        "webhook-endpoints/<id:endpoint_id>/rotate",
        webhooks.RotateSecret.as_view(),
        name="api-endpoint-rotate",
    ),
    path(
        "webhook-endpoints/<id:endpoint_id>/end-overlap",
        webhooks.EndOverlap.as_view(),
        name="api-endpoint-end-overlap",
    ),
    path("schema/", Document.as_view(), name="api-schema"),
    path("docs/", Pages.as_view(), name="api-docs"),
    re_path(r"^(?P<address>.*[^/])/$", without_slash),
]
