"""What was measured: the machine, the versions, the commit."""

import os
import platform
import shutil
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from benchmarks.frame.command import ROOT
from benchmarks.frame.programs import lines_of
from benchmarks.frame.servers import postgres_program

WRITTEN = (":!docs/performance.md", ":!docs/benchmarks")


@cache
def machine() -> dict[str, object]:
    """The machine, and how busy it was when we began."""
    cpu = Path("/proc/cpuinfo")
    found = [line.split(":", 1)[1].strip() for line in lines_of(cpu) if line.startswith("model name")]
    memory = [int(line.split()[1]) for line in lines_of(Path("/proc/meminfo")) if line.startswith("MemTotal")]
    return {
        "cpu": found[0] if found else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory[0] / 1024**2, 1) if memory else None,
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


@cache
def versions() -> dict[str, str]:
    """What was measured with what."""
    packages = (
        "Django django-q2 psycopg granian djangorestframework msgspec celery dramatiq huey procrastinate "
        "fastapi uvicorn asyncpg django-ninja redis "
        "baresip-python pipecat-ai faster-whisper piper-tts onnxruntime"
    )
    found = {"Python": platform.python_version()}
    for name in packages.split():
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    for name, command in (("PostgreSQL", [postgres_program("postgres")]), ("Redis", ["redis-server"])):
        if command[0] and shutil.which(command[0]):
            told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
            found[name] = next((w for w in told.stdout.replace("v=", "").split() if w[0].isdigit()), "")
    return found


@cache
def revision() -> str:
    """The commit that is measured, as it was when we began."""
    return commit_of(ROOT)


def commit_of(root: Path) -> str:
    """The commit, and whether files differ from it; empty where git does not know."""
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    # What a measurement writes is no change to what was measured.
    changed = _git(root, "status", "--porcelain", "--", ".", *WRITTEN)
    return f"{commit}, with changes" if changed else commit


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""
