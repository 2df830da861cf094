"""Fill a fresh database for the ingest: contacts with consents, suppressions, a campaign, a key.

Run with the environment of the installation: ``python -m benchmarks.ingest_seed CONTACTS``. Prints JSON: the
key, and the ids that requests may name.
"""

import json
import sys

import django
from django.core.management import call_command

from benchmarks.seeding import ZONES, phone_of

LIMIT = 100_000_000  # requests a minute


def main() -> None:
    django.setup()
    call_command("migrate", verbosity=0)
    print(json.dumps(seed(int(sys.argv[1]))))


def seed(count: int) -> dict[str, object]:
    """One contact in ten has no consent, so is warned of; nobody's number is suppressed, 2,000 others are."""
    from campaigns.models import Campaign
    from contacts.models import Consent, Contact, PhoneNumber, Suppression
    from temphone.accounts.actions import create_key
    from temphone.accounts.actors import SYSTEM, Role
    from temphone.accounts.models import Mode
    from temphone.lib.clock import now as utc_now

    now = utc_now()
    contacts = [
        Contact(first_name=f"Jordan{n}", last_name="Lee", phone=phone_of(n), timezone=ZONES[n % len(ZONES)])
        for n in range(count)
    ]
    Contact.objects.bulk_create(contacts, batch_size=500)
    PhoneNumber.objects.bulk_create([PhoneNumber(e164=one.phone) for one in contacts], batch_size=500)
    Consent.objects.bulk_create(
        [
            Consent(contact=one, phone=one.phone, purpose="informational", kind="express", source="form")
            for one in contacts[count // 10 :]
        ],
        batch_size=500,
    )
    Suppression.objects.bulk_create([Suppression(number=f"+1416{n:07}") for n in range(2_000)])
    Suppression.objects.bulk_create([Suppression(number=f"+190{n}", is_prefix=True) for n in range(10)])
    campaign = Campaign.objects.create(name="Renewals")
    key = create_key(
        actor=SYSTEM, name="bench", mode=Mode.TEST, role=Role.MANAGER, requests_per_minute=LIMIT, now=now
    )
    return {"key": key[1], "campaign": campaign.pk, "contacts": [one.pk for one in contacts]}


if __name__ == "__main__":
    main()
