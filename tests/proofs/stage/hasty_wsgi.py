"""The web program with a plausible mistake: it answers before it commits."""

from importlib import import_module

from temphone.wsgi import application
from tests.proofs.stage.hasty import hasty

__all__ = ["application"]
HASTE_S = 0.5

api = import_module("calls.api")  # only now: the models want Django set up
api.schedule_call = hasty(api.schedule_call, haste_s=HASTE_S)
