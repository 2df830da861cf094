"""The FastAPI peer: ``uvicorn --factory benchmarks.ingest_peers.fastapi_main:app``."""

import django
from fastapi import FastAPI


def app() -> FastAPI:
    """It, once Django is set up: our pure functions read its settings."""
    django.setup()
    from benchmarks.ingest_peers.fastapi_app import app as made

    return made
