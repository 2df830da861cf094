"""Who takes people out as a file: that is written down before the first of them goes out."""

from contacts.models import Contact
from contacts.models.people import ContactQuerySet
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import AuditEntry


def export_contacts(*, actor: Actor) -> ContactQuerySet:
    """All contacts, by name.

    Raises:
        Forbidden
    """
    actor.require(Role.MANAGER)
    AuditEntry.record(actor, "contact.export", "")
    return Contact.objects.present()
