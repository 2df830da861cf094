"""The addresses of many objects on one page: Django takes as long to make one as to read the object."""

from urllib.parse import quote

from django.urls import reverse

MARK = "0"  # stands where the id will


class Address:
    """Where the pages of this name are, by the one id that they have."""

    def __init__(self, name: str) -> None:
        self._before, _mark, self._after = reverse(name, args=[MARK]).rpartition(MARK)

    def of(self, id_: str) -> str:
        """The page of this one."""
        return f"{self._before}{quote(id_, safe='')}{self._after}"
