"""Every change to API keys and to one's own account, as a verb."""

from datetime import datetime

from django.db import transaction

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import ApiKey, AuditEntry, Mode, User, digest
from temphone.lib.errors import Conflict, NotFound


@transaction.atomic
def create_key(
    *,
    actor: Actor,
    name: str,
    mode: Mode,
    role: Role = Role.MANAGER,
    requests_per_minute: int | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key. The whole of it is in the answer and nowhere else: show it once.

    Raises:
        Forbidden
    """
    actor.require(Role.ADMIN)
    public_id, whole = ApiKey.new_secret(mode)
    key = ApiKey.objects.create(
        public_id=public_id,
        hash=digest(whole),
        name=name,
        mode=mode,
        role=role,
        requests_per_minute=requests_per_minute,
        created_by_id=int(actor.id) if actor.kind == "user" else None,
        created_at=now,
    )
    AuditEntry.record(actor, "key.create", public_id, mode=mode, role=role)
    return key, whole


@transaction.atomic
def revoke_key(*, actor: Actor, public_id: str, now: datetime) -> ApiKey:
    """Make a key useless, at once and for good.

    Raises:
        Forbidden, NotFound
        Conflict: it was revoked before.
    """
    actor.require(Role.ADMIN)
    found = ApiKey.objects.filter(public_id=public_id)
    won = found.usable().update(revoked_at=now)
    key = found.first()
    if key is None:
        raise NotFound(f"API key not found: {public_id}.", code="key_not_found")
    if not won:
        raise Conflict(f"API key {public_id} was revoked already.", code="key_revoked")
    AuditEntry.record(actor, "key.revoke", public_id)
    return key


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
