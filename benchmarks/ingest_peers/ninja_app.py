"""django-ninja under WSGI: ``granian --interface wsgi benchmarks.ingest_peers.ninja_app:application``."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application

# TemPhone's settings, but for what stands before a view: nothing of it is measured here.
settings.ROOT_URLCONF = "benchmarks.ingest_peers.ninja_urls"
settings.MIDDLEWARE = []

application = get_wsgi_application()
