"""Which product was tried, and with what: a hash of every file that a proof may run, whatever else changes.

Hours of proof outlive a commit that changes pages of documentation, translations or another proof, and
nothing else; they do not outlive one that touches the product, or what tries it. What is not committed counts
as it is on disk.
"""

import ast
import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from pathlib import Path

from tests.proofs.battery import Proof

ROOT = Path(__file__).resolve().parents[3]
# Templates and static files are not among the parts: what a proof asks never shows a page.
PARTS = ("calls", "campaigns", "contacts", "temphone", "manage.py", "requirements", "pyproject.toml")
# What every proof runs in: not what asks for proofs, keeps what came of them or tells of it.
STAGE = ("tests.settings", "tests.proofs.battery", "tests.proofs.running.chunk")
OF_THE_TESTS = re.compile(r"\btests(?:\.\w+)+")


def version(proof: Proof | None = None, *, root: Path = ROOT) -> str:
    """The hash, as it is on disk now: of the product, and of what of the tests this proof uses."""
    digest = hashlib.sha256()
    for name, path in files(proof, root=root):
        with suppress(FileNotFoundError):  # it went while we looked: then the hash is another soon
            digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def files(proof: Proof | None = None, *, root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """Each file that counts, by its name from the root, in the same order everywhere."""
    for part in PARTS:
        whole = root / part
        for path in sorted(whole.rglob("*")) if whole.is_dir() else [whole]:
            made = "__pycache__" in path.parts or path.name.startswith(".")
            if path.is_file() and not made:
                yield path.relative_to(root).as_posix(), path
    if proof:
        yield from sorted((path.relative_to(root).as_posix(), path) for path in _tried_with(proof, root))


def _tried_with(proof: Proof, root: Path) -> set[Path]:
    """The modules of the tests that the proof imports, or names as what another process is to run."""
    found: set[Path] = set()
    left = [*STAGE, module_of(proof)]
    while left:
        name = left.pop()
        path = _file(name, root)
        if path is None:
            left += [name.rpartition(".")[0]] if "." in name else []  # it names something within a module
        elif path not in found:
            found.add(path)
            left += [name.rpartition(".")[0], *_named_in(path.read_text())]
    return found


def module_of(proof: Proof) -> str:
    """Where the proof's run is written."""
    run = proof.run
    while isinstance(run, partial):
        run = run.func
    return run.__module__


def _file(name: str, root: Path) -> Path | None:
    path = root.joinpath(*name.split("."))
    return next((one for one in (path.with_suffix(".py"), path / "__init__.py") if one.is_file()), None)


@lru_cache(maxsize=512)
def _named_in(text: str) -> frozenset[str]:
    """The dotted names of the tests in a module: what it imports, and in its texts."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(module=str(module)):
                names |= {module, *(f"{module}.{one.name}" for one in node.names)}
            case ast.Import():
                names |= {one.name for one in node.names}
            case ast.Constant(value=str(words)):
                names |= set(OF_THE_TESTS.findall(words))
    return frozenset(name for name in names if name.startswith("tests."))


def commit() -> str:
    """The commit of it, for people; a plus where a file that counts differs from it or is not in it."""
    head = _git(["rev-parse", "--short=8", "HEAD"])
    changed = head and _git(["status", "--porcelain", "--untracked-files=all", "--", *PARTS, "tests"])
    return f"{head}+" if changed else head or "unknown"


def _git(words: Sequence[str]) -> str:
    found = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def machine() -> str:
    """Where it runs."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = f"{os.cpu_count()} cores, {memory:.0f} GB"
    return f"{platform.system()} {platform.machine()}, {cores}, Python {platform.python_version()}"
