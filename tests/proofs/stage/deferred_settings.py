"""The settings with a plausible mistake: SQLite's own default, where a read that goes on to write locks."""

from temphone.settings import *

DATABASES["default"]["OPTIONS"] |= {"transaction_mode": "DEFERRED"}
