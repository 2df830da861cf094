"""Webhook endpoints for programs."""

from rest_framework.request import Request
from rest_framework.response import Response

from temphone.accounts.actors import Role
from temphone.api.base import ApiView
from temphone.api.document import PAGE, operation, page_of
from temphone.api.envelope import Answer
from temphone.api.pagination import page
from temphone.webhooks.actions.endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    end_overlap,
    get_endpoint,
    rotate_secret,
    switch_endpoint,
)
from temphone.webhooks.models import Endpoint
from temphone.webhooks.serializers import (
    EndpointBody,
    EndpointData,
    EndpointSecretData,
    RotationBody,
    endpoint_data,
)


class Endpoints(ApiView):
    """The addresses that are told of every call. They have no mode; live keys alone change them."""

    @operation("listWebhookEndpoints", data=page_of(EndpointData), parameters=PAGE, also={403: None})
    def get(self, _request: Request) -> Response:
        """List the endpoints, the newest first."""
        self.actor.require(Role.ADMIN)
        endpoints = Endpoint.objects.present()
        return Answer(page(endpoints, self.query, by="created_at", render=endpoint_data))

    @operation("createWebhookEndpoint", body=EndpointBody, data=EndpointSecretData, status=201)
    def post(self, request: Request) -> Response:
        """Add an endpoint, switched on; the answer alone has its secret."""
        endpoint, secret = create_endpoint(actor=self.actor, **EndpointBody.read(request), now=self.now)
        return Answer({**endpoint_data(endpoint), "secret": secret}, "Endpoint created.", status=201)


class EndpointDetail(ApiView):
    """One endpoint."""

    @operation("getWebhookEndpoint", data=EndpointData, also={403: None})
    def get(self, _request: Request, endpoint_id: str) -> Response:
        """Show the endpoint."""
        return Answer(endpoint_data(get_endpoint(actor=self.actor, endpoint_id=endpoint_id)))

    @operation("changeWebhookEndpoint", body=EndpointBody, data=EndpointData)
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Change its name, address or events; what waits goes to the new address."""
        changes = EndpointBody.read(request, partial=True)
        endpoint = change_endpoint(actor=self.actor, endpoint_id=endpoint_id, **changes, now=self.now)
        return Answer(endpoint_data(endpoint), "Endpoint changed.")

    @operation("deleteWebhookEndpoint", data=EndpointData)
    def delete(self, _request: Request, endpoint_id: str) -> Response:
        """Forget the endpoint and its secret; what waits for it is not sent."""
        endpoint = delete_endpoint(actor=self.actor, endpoint_id=endpoint_id, now=self.now)
        return Answer(endpoint_data(endpoint), "Endpoint deleted.")


class EnableEndpoint(ApiView):
    """An endpoint that is told."""

    @operation("enableWebhookEndpoint", data=EndpointData)
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Tell it what happens from now on."""
        endpoint = switch_endpoint(actor=self.actor, endpoint_id=endpoint_id, on=True, now=self.now)
        return Answer(endpoint_data(endpoint), "Endpoint enabled.")


class DisableEndpoint(ApiView):
    """An endpoint that is not."""

    @operation("disableWebhookEndpoint", data=EndpointData)
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Tell it no more; what waits for it is not sent."""
        endpoint = switch_endpoint(actor=self.actor, endpoint_id=endpoint_id, on=False, now=self.now)
        return Answer(endpoint_data(endpoint), "Endpoint disabled.")


class RotateSecret(ApiView):
    """A new secret."""

    @operation("rotateWebhookSecret", body=RotationBody, data=EndpointSecretData, also={409: None})
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Sign with a new secret, which this answer alone has; the one before signs as well for 24 hours."""
        keep_old = RotationBody.read(request).get("keep_old", True)
        endpoint, secret = rotate_secret(
            actor=self.actor, endpoint_id=endpoint_id, keep_old=keep_old, now=self.now
        )
        return Answer({**endpoint_data(endpoint), "secret": secret}, "Secret changed.")


class EndOverlap(ApiView):
    """The end of the secret before."""

    @operation("endWebhookSecretOverlap", data=EndpointData)
    def post(self, _request: Request, endpoint_id: str) -> Response:
        """Sign with the newest secret alone, before the time of the other is over."""
        endpoint = end_overlap(actor=self.actor, endpoint_id=endpoint_id, now=self.now)
        return Answer(endpoint_data(endpoint), "The newest secret signs alone.")
