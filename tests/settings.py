"""The settings under test: those of production, but what is written goes to a folder of its own."""

import atexit
import os
import shutil
import tempfile

if not os.environ.get("TEMPHONE_DATA_DIR"):
    os.environ["TEMPHONE_DATA_DIR"] = tempfile.mkdtemp(prefix="temphone-tests-")
    atexit.register(shutil.rmtree, os.environ["TEMPHONE_DATA_DIR"], ignore_errors=True)

from temphone.settings import *

# Nobody guards anything here, and every login costs half a second otherwise.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# What one test counted is not what the next one finds.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}

# Every test's client would look through all static files first, and none asks for one twice.
WHITENOISE_AUTOREFRESH = True
