"""Demo data; running it again changes nothing."""

from django.core.management.base import BaseCommand
from django.db import transaction

from temphone.lib.clock import now as utc_now
from temphone.management.demo import seeding


class Command(BaseCommand):
    help = "Fill an installation with a made-up organisation to try it with; again, it changes nothing."
    requires_system_checks = ()

    @transaction.atomic
    def handle(self, **_: object) -> None:
        """Seed what is missing."""
        now = utc_now()
        seeding.seed_staff()
        seeding.seed_people(now)
        if seeding.seed_calls(now):
            self.stdout.write("Demo data is there: people, campaigns and some calls.")
