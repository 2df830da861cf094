"""Who takes people out as a file: that is written down before the first of them goes out."""

from django.db import transaction

from contacts.actions.imports.asking import get_import
from contacts.models import Contact, ContactImport
from contacts.models.people import ContactQuerySet
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry
from temphone.lib.errors import Conflict


def export_contacts(*, actor: Actor) -> ContactQuerySet:
    """All contacts, by name.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    AuditEntry.record(actor, "contact.export", "")
    return Contact.objects.present()


@transaction.atomic
def export_problems(*, actor: Actor, import_id: str) -> ContactImport:
    """The import, for its rows with problems to be downloaded.

    Raises:
        Forbidden, NotFound
        Conflict: its rows are removed.
    """
    actor.require(Role.MANAGER)
    own = get_import(import_id)
    if own.is_forgotten:
        raise Conflict("The rows of this import are removed.", code="import_forgotten")
    AuditEntry.record(actor, "import.export", own.pk, problems=own.problems)
    return own
