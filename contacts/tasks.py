"""What the worker does about contacts. django-q2 is only the doorbell; a task too many does no harm."""

from contacts.actions.imports.working import work
from temphone.doorbell.tasks import task

SLICE_S = 2.0  # then the next task has its turn: dials are not kept waiting by an import


@task
def work_on_imports() -> None:
    """Go on with what is being checked, imported or undone; forget what is kept no longer."""
    work(for_s=SLICE_S)
