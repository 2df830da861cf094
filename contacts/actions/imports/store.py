"""Where uploaded files lie until they are imported: private, each in a folder of its import's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.core.files.storage import Storage, storages


def storage() -> Storage:
    """Where they are."""
    return storages["imports"]


@contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """A file to be read, closed in the end.

    Raises:
        FileNotFoundError
    """
    with storage().open(name, "rb") as file:
        yield cast("BinaryIO", file.file)


def remove(import_id: str) -> None:
    """Remove whatever lies there of an import.

    Raises:
        OSError: the storage is away.
    """
    try:
        _, names = storage().listdir(import_id)
    except FileNotFoundError:
        return
    for name in names:
        storage().delete(f"{import_id}/{name}")
    storage().delete(import_id)
