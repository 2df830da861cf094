"""What is wrong with a neighbour, logged when it comes and when it goes, not at every try."""

import logging

log = logging.getLogger(__name__)


class Trouble:
    """The present trouble with one thing."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._present = ""

    def tell(self, trouble: str) -> None:
        """What is wrong now; empty when all is well."""
        if trouble != self._present:
            log.warning("%s: %s.", self._subject, trouble or "well again")
        self._present = trouble
