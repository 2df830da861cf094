"""What every view of the API has in common."""

from datetime import datetime

from rest_framework.metadata import BaseMetadata
from rest_framework.request import Request
from rest_framework.views import APIView

from temphone.accounts.actors import Actor
from temphone.accounts.authentication import PerMinute, key_of
from temphone.accounts.models import ApiKey, Mode
from temphone.api.parsers import LengthRequired
from temphone.api.query import Query
from temphone.lib import clock


class Methods(BaseMetadata):
    """What OPTIONS answers."""

    def determine_metadata(self, _request: Request, view: APIView) -> dict[str, list[str]]:
        """The methods; the Allow header lists them too."""
        return {"methods": view.allowed_methods}


class ApiView(APIView):
    """A view for programs. Who has no key does not get past authentication, so no permission class."""

    permission_classes = ()
    throttle_classes = (PerMinute,)
    metadata_class = Methods

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Refuse a wrong method before asking who it is; and then a body that would not be read."""
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request, *args, **kwargs)
        super().initial(request, *args, **kwargs)
        if "Transfer-Encoding" in request.headers:
            raise LengthRequired("The request needs a Content-Length; its body must not come in chunks.")

    @property
    def key(self) -> ApiKey:
        """The key that the request came with."""
        return key_of(self.request)

    @property
    def actor(self) -> Actor:
        """Whoever asks."""
        return self.key.actor()

    @property
    def mode(self) -> Mode:
        """The key's mode; it sees and makes nothing of the other."""
        return Mode(self.key.mode)

    @property
    def query(self) -> Query:
        """The query parameters."""
        return Query(self.request.query_params)

    @property
    def now(self) -> datetime:
        """The present instant."""
        return clock.now()
