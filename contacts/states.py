"""Where an import can be, and what becomes of a row of it."""

from django.db.models import TextChoices


class ImportState(TextChoices):
    """Where an import is. The worker acts in WORKING; in the others somebody decides, or nobody needs to."""

    MATCHING = "matching", "Columns to be matched"
    CHECKING = "checking", "Being checked"
    CHECKED = "checked", "Ready to import"
    IMPORTING = "importing", "Being imported"
    DONE = "done", "Imported"
    UNDOING = "undoing", "Being undone"
    UNDONE = "undone", "Undone"
    ABANDONED = "abandoned", "Abandoned"
    FAILED = "failed", "Failed"


WORKING = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)
BEFORE_IMPORT = (ImportState.MATCHING, ImportState.CHECKING, ImportState.CHECKED)


class Verdict(TextChoices):
    """What importing a row means."""

    NEW = "new", "New"
    UPDATE = "update", "Updated"
    SAME = "same", "Unchanged"
    PROBLEM = "problem", "Problem"


class Kept(TextChoices):
    """Why undoing left a row as it is."""

    HAS_CALLS = "has_calls", "There are calls to this contact."
    IN_USE = "in_use", "Consents or campaigns hold this contact."
    CHANGED = "changed", "Changed since the import."
