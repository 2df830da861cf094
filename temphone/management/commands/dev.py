"""Everything together on one machine: what ``make run`` starts."""

import os
import socket
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from temphone.lib.environment import BadSetting


class Command(BaseCommand):
    help = "Prepare the database, then run web, clock, worker and gateway together until Ctrl-C."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--prepare-only", action="store_true", help="Migrate and seed; start nothing.")

    def handle(self, *, prepare_only: bool, **_: object) -> None:
        """Prepare with Django, then become the supervisor, which is small without it."""
        require_free_port(settings.HOST, settings.PORT)
        require_database()
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0)
        if settings.DEMO:
            call_command("seed_demo")
        if not prepare_only:
            self.stdout.flush()
            os.environ["TEMPHONE_DATA_DIR"] = str(settings.DATA_DIR)  # before we leave this folder
            os.chdir(settings.BASE_DIR)
            os.execv(sys.executable, [sys.executable, "-m", "temphone.management.together"])


def require_free_port(host: str, port: int) -> None:
    """Return if nobody listens there.

    Raises:
        BadSetting: somebody does, or the address is not ours.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen()
    except OSError as error:
        raise BadSetting(
            f"cannot listen on {host}:{port} ({error.strerror}); choose another: PORT={port + 1} make run"
        ) from error


def require_database() -> None:
    """Return if the database answers.

    Raises:
        BadSetting: it does not.
    """
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        raise BadSetting(f"DATABASE_URL: the database does not answer ({reason}).") from error
