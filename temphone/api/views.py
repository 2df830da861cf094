"""The API's OpenAPI document, and the pages on which one can try it."""

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView


class Document(SpectacularJSONAPIView):
    """The OpenAPI document, as JSON."""


# Swagger UI writes styles into its elements; for the rest our policy stands.
@method_decorator(csp_update({"style-src": [UNSAFE_INLINE]}), name="dispatch")
class Pages(SpectacularSwaggerSplitView):
    """Swagger UI."""

    url_name = "api-schema"
