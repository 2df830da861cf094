"""Which product was tried: one hash of every file that a proof may run, whatever else changes.

Hours of proof outlive a commit that changes pages of documentation or translations, and nothing else; they
do not outlive one that touches the product, or what tries it. What is not committed counts as it is on disk.
"""

import hashlib
import os
import platform
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PARTS = (
    *("calls", "campaigns", "contacts", "temphone", "manage.py", "requirements", "pyproject.toml"),
    *("tests/proofs", "tests/builders.py", "tests/campaigns/builders.py", "tests/settings.py"),
    *("tests/sounds.py", "tests/webhooks/receiver.py"),
)
# How one asks for proofs, what tells of them and what tries the battery itself change nothing in a proof.
# Templates and static files are not among the parts: what a proof asks never shows a page.
LEFT_OUT = ("tests/proofs/__main__.py", "tests/proofs/telling/", "tests/proofs/test_")


def files(root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """Each file that counts, by its name from the root, in the same order everywhere."""
    for part in PARTS:
        whole = root / part
        for path in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
            name = path.relative_to(root).as_posix()
            made = "__pycache__" in path.parts or path.name.startswith(".")
            if path.is_file() and not made and not name.startswith(LEFT_OUT):
                yield name, path


def version(root: Path = ROOT) -> str:
    """The hash, as it is on disk now."""
    digest = hashlib.sha256()
    for name, path in files(root):
        with suppress(FileNotFoundError):  # it went while we looked: then the hash is another soon
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit of it, for people; a plus where a file that counts differs from it or is not in it."""
    head = _git(["rev-parse", "--short", "HEAD"])
    changed = head and _git(["status", "--porcelain", "--untracked-files=all", "--", *PARTS])
    return f"{head}+" if changed else head or "unknown"


def _git(words: Sequence[str]) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def machine() -> str:
    """Where it runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = f"{os.cpu_count()} cores, {memory:.0f} GB"
    return f"{platform.system()} {platform.machine()}, {cores}, Python {platform.python_version()}"
