"""The web program: ``granian --interface wsgi temphone.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from temphone.lib import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "temphone.settings")

application = get_wsgi_application()
_ = get_resolver().url_patterns  # all views, which else the first request would load
garbage.leave_what_is_loaded()
