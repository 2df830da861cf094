"""The translations as gettext reads them, made of their sources when a program first needs them."""

import hashlib
import os
import tempfile
from pathlib import Path


def folder_of(sources: Path, within: Path) -> Path:
    """Where the catalogs of these sources are: a name that changes with them, so that none is ever stale."""
    digest = hashlib.sha256()
    for source in sorted(sources.rglob("*.po")):
        digest.update(source.relative_to(sources).as_posix().encode() + b"\0" + source.read_bytes() + b"\0")
    return within / digest.hexdigest()[:16]


def compile_all(sources: Path, folder: Path) -> None:
    """Make what is missing of ``folder``, which ``folder_of`` named."""
    for source in sources.rglob("*.po"):
        catalog = (folder / source.relative_to(sources)).with_suffix(".mo")
        if not catalog.exists():
            _compile(source, catalog)


def _compile(source: Path, catalog: Path) -> None:
    from babel.messages.mofile import write_mo  # a fifth of a second, which most starts spare
    from babel.messages.pofile import read_po

    catalog.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file:
        texts = read_po(file, locale=source.parents[1].name)
    # Whole or not at all: other programs start at the same moment.
    handle, name = tempfile.mkstemp(dir=catalog.parent)
    with os.fdopen(handle, "wb") as file:
        write_mo(file, texts)
    Path(name).replace(catalog)
