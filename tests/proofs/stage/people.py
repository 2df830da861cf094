"""Whom the proofs call: contacts with numbers of their own, in bulk, and the key of a program.

``python -m tests.proofs.stage.people COUNT`` makes them in the database of the environment, which
it migrates first, and writes ``{"key": ..., "people": [[contact id, number], ...]}``.
"""

import json
import sys

import django


def a_key() -> str:
    """The key of a program that may ask as often as it likes."""
    from temphone.accounts.actions import create_key
    from temphone.accounts.actors import SYSTEM
    from temphone.accounts.models import Mode
    from temphone.lib.clock import now

    _, key = create_key(
        actor=SYSTEM, name="A proof", mode=Mode.TEST, requests_per_minute=1_000_000, now=now()
    )
    return key


def people(count: int, *, first: int = 0) -> list[tuple[str, str]]:
    """So many contacts, at once: id and number of each."""
    from contacts.models import Contact

    made = Contact.objects.bulk_create(
        (
            Contact(first_name="Jordan", phone=f"+1650{2_000_000 + index}", timezone="America/Los_Angeles")
            for index in range(first, first + count)
        ),
        batch_size=1_000,
    )
    return [(contact.pk, contact.phone) for contact in made]


def main() -> None:
    """Migrate, make, write."""
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    sys.stdout.write(json.dumps({"key": a_key(), "people": people(int(sys.argv[1]))}))


if __name__ == "__main__":
    main()
