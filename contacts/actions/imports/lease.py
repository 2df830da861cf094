"""Who works on an import: whoever has moved its ``due_at`` ahead, until somebody else moves it."""

from datetime import datetime, timedelta

from contacts.models import ContactImport
from contacts.states import ImportState
from temphone.lib import clock

LEASE = timedelta(seconds=30)  # a batch takes a second; a worker that was killed is missed so long
MOST_TRIES = 5  # from one batch that was done to the next


class Lost(Exception):
    """Somebody else has it now, or it was abandoned: what was not committed is not to be."""


def take(now: datetime) -> ContactImport | None:
    """An import that is due, now ours; the longest waiting first.

    A try counts before it is made: whoever tries may be killed by it, and can count no more.
    """
    for found in ContactImport.objects.due(now).order_by("due_at")[:10]:
        try:
            if found.is_working and found.tries >= MOST_TRIES:
                rest(found, ImportState.FAILED, problem=broke_off(found.state, found.form["kind"]))
                continue
            move(found, due_at=now + LEASE, tries=found.tries + 1 if found.is_working else 0)
        except Lost:
            continue
        return found
    return None


def broke_off(state: str, kind: str = "") -> str:
    """The problem of an import whose tries in this state have all failed."""
    return f"broke_off_{kind if (state, kind) == (ImportState.CHECKING, 'xlsx') else state}"


def move(own: ContactImport, **changes: object) -> None:
    """Change the import if it is still ours; inside a transaction it stays so until the end.

    Raises:
        Lost
    """
    still = ContactImport.objects.filter(pk=own.pk, state=own.state, due_at=own.due_at)
    if not still.update(**changes):
        raise Lost
    for name, value in changes.items():
        setattr(own, name, value)


def go_on(own: ContactImport, lease: timedelta = LEASE, /, **changes: object) -> None:
    """Change it, and keep it for the next batch.

    Raises:
        Lost
    """
    move(own, due_at=clock.now() + lease, **changes)


def rest(own: ContactImport, state: ImportState, **changes: object) -> None:
    """Nothing is left to do until somebody decides, or until it is forgotten.

    Raises:
        Lost
    """
    now = clock.now()
    move(own, due_at=ContactImport.forget_at(now), state=state, began_at=now, **changes)
