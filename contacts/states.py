"""Where an import can be, and what becomes of a row of it."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class ImportState(TextChoices):
    """Where an import is. The worker acts in WORKING; in the others somebody decides, or nobody needs to."""

    MATCHING = "matching", _("Columns to be matched")
    CHECKING = "checking", _("Being checked")
    CHECKED = "checked", _("Ready to import")
    IMPORTING = "importing", _("Being imported")
    DONE = "done", _("Imported")
    UNDOING = "undoing", _("Being undone")
    UNDONE = "undone", pgettext_lazy("import", "Undone")
    ABANDONED = "abandoned", _("Abandoned")
    FAILED = "failed", pgettext_lazy("import", "Failed")


WORKING = (ImportState.CHECKING, ImportState.IMPORTING, ImportState.UNDOING)
BEFORE_IMPORT = (ImportState.MATCHING, ImportState.CHECKING, ImportState.CHECKED)


class Verdict(TextChoices):
    """What importing a row means."""

    NEW = "new", pgettext_lazy("row", "New")
    UPDATE = "update", _("Updated")
    SAME = "same", _("Unchanged")
    PROBLEM = "problem", _("Problem")


class Kept(TextChoices):
    """Why undoing left a row as it is."""

    HAS_CALLS = "has_calls", _("There are calls to this contact.")
    IN_USE = "in_use", _("Consents or campaigns hold this contact.")
    CHANGED = "changed", _("Changed since the import.")
