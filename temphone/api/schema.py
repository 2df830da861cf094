"""The API's OpenAPI document, and the pages that show it."""

from csp.decorators import csp_update
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView


class Document(SpectacularJSONAPIView):
    """The OpenAPI document, as JSON."""


# Swagger UI writes styles into its elements; the rest of the policy stands.
@method_decorator(csp_update({"style-src": ["'unsafe-inline'"]}), name="dispatch")
class Pages(SpectacularSwaggerSplitView):
    """The document as pages on which one can try it out."""
