"""Every change to API keys, as a verb."""

from datetime import datetime

from django.db import transaction

from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import ApiKey, AuditEntry, Mode, digest
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


def get_key(*, actor: Actor, public_id: str) -> ApiKey:
    """The key with this public part.

    Raises:
        Forbidden, NotFound
    """
    actor.require(Role.ADMIN)
    key = ApiKey.objects.select_related("created_by").filter(public_id=public_id).first()
    if key is None:
        raise NotFound(f"API key not found: {public_id}.", code="key_not_found")
    return key


@transaction.atomic
def change_key(*, actor: Actor, public_id: str, name: str, requests_per_minute: int | None) -> ApiKey:
    """Change what a key is called and how often it may ask; its programs notice nothing else.

    Raises:
        Forbidden, NotFound
        Conflict: it was revoked.
    """
    key = get_key(actor=actor, public_id=public_id)
    columns = {"name": name, "requests_per_minute": requests_per_minute}
    fields = sorted(column for column, value in columns.items() if getattr(key, column) != value)
    if not ApiKey.objects.usable().filter(public_id=public_id).update(**columns):
        raise Conflict(f"API key {public_id} was revoked already.", code="key_revoked")
    if fields:
        AuditEntry.record(actor, "key.change", public_id, fields=fields)
    return get_key(actor=actor, public_id=public_id)


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
    key = get_key(actor=actor, public_id=public_id)
    if not won:
        raise Conflict(f"API key {public_id} was revoked already.", code="key_revoked")
    AuditEntry.record(actor, "key.revoke", public_id)
    return key
