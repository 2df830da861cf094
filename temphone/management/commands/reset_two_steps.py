"""Let somebody in without their second step, when no admin can."""

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from temphone.accounts.actions import make_link, reset_two_steps
from temphone.accounts.actions.team import NEEDED
from temphone.accounts.actors import SYSTEM
from temphone.accounts.models import User
from temphone.lib.errors import DomainError


class Command(BaseCommand):
    help = "Turn two-step login off for one user, who lost their phone and their recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Who."""
        parser.add_argument("username")
        parser.add_argument(
            "--keep-password", action="store_true", help="Let the password that they have open alone."
        )

    def handle(self, *, username: str, keep_password: bool, **_: object) -> None:
        """Reset it, and say what opens now."""
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        try:
            reset_two_steps(actor=SYSTEM, user_id=str(user.pk), keep_password=keep_password)
            self.stdout.write(
                f"{username} is logged out everywhere. {_what_opens(user, keep_password=keep_password)}"
            )
        except DomainError as error:
            hint = " Or keep the password: --keep-password." if error.code in NEEDED else ""
            raise CommandError(error.message + hint) from error


def _what_opens(user: User, *, keep_password: bool) -> str:
    if keep_password:
        return "The password alone opens now."
    if not user.is_active:
        return "The password opens nothing any more."
    person, token = make_link(actor=SYSTEM, user_id=str(user.pk))
    link = reverse("welcome", args=[person.pk, token])
    return f"A new password is chosen by this page of TemPhone, which opens once: {link}"
