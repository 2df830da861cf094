"""TemPhone's own settings, with a carrier that rings nobody in the place of the gateway."""

from temphone.settings import *
from temphone.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "benchmarks.carrier.CarrierConfig"]
