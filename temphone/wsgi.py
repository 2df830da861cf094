"""The web program: ``granian --interface wsgi temphone.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "temphone.settings")

application = get_wsgi_application()
