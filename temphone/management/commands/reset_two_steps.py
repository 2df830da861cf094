"""Let somebody in by the password alone, when no admin can."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from temphone.accounts.actions import reset_two_steps
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import User
from temphone.lib.errors import DomainError


class Command(BaseCommand):
    help = "Turn two-step login off for one user, who lost their phone and their recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who."""
        parser.add_argument("username")

    def handle(self, *, username: str, **_: object) -> None:
        """Reset it, and say so."""
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        try:
            reset_two_steps(actor=SYSTEM, user_id=str(user.pk))
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{username} logs in by the password alone now, and is logged out everywhere.")
