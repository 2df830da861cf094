"""What everybody may change of their own account."""

from django.db import transaction

from temphone.accounts.models import AuditEntry, User


@transaction.atomic
def save_account(*, user: User, first_name: str, last_name: str, timezone: str) -> None:
    """Change one's own name and the zone in which one reads times. Everybody may."""
    user.first_name, user.last_name, user.timezone = first_name, last_name, timezone
    user.save(update_fields=["first_name", "last_name", "timezone"])
    AuditEntry.record(user.actor(), "account.change", f"user:{user.pk}")


@transaction.atomic
def change_password(*, user: User, password: str) -> None:
    """Change one's own password, which was validated. Every other session of the user ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
    AuditEntry.record(user.actor(), "account.password", f"user:{user.pk}")
