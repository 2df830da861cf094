"""The worker's side: load a model, say that it works, then answer one request after another."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

from temphone.gateway.speech.workers.frames import LENGTHS, Words, pack, unpack

Work = Callable[[Words, bytes], tuple[Words, bytes]]

PR_SET_PDEATHSIG = 1  # Source: prctl(2)
NICENESS = 5  # the frames of the calls that are up go first
# What libraries raise over one request. Anything else ends the worker, and it is renewed.
FAILURES = (ValueError, RuntimeError, OSError, MemoryError)


class Unfit(ValueError):
    """This request cannot be answered, whoever is asked; the model is well."""


def serve(load: Callable[[], Work]) -> int:
    """Answer what standard input asks, until it ends; the exit code."""
    _die_with_parent()
    os.nice(NICENESS)
    asked, answers = sys.stdin.buffer, _claim_stdout()
    try:
        work = load()
    except Exception as error:
        _send(answers, {"error": _reason(error)})
        raise
    _send(answers, {"ready": True})
    while (request := _receive(asked)) is not None:
        _send(answers, *_answer(work, *request))
    return 0


def _answer(work: Work, words: Words, sound: bytes) -> tuple[Words, bytes]:
    try:
        return work(words, sound)
    except FAILURES as error:
        return {"error": _reason(error), "unfit": isinstance(error, Unfit)}, b""


def _claim_stdout() -> BinaryIO:
    """Standard output for frames alone: what a library prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _send(answers: BinaryIO, words: Words, sound: bytes = b"") -> None:
    answers.write(pack(words, sound))
    answers.flush()


def _receive(asked: BinaryIO) -> tuple[Words, bytes] | None:
    lengths = asked.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head, body = LENGTHS.unpack(lengths)
    return unpack(asked.read(head)), asked.read(body)


def _die_with_parent() -> None:
    """A worker that hangs would not see that its input has ended."""
    with suppress(OSError, AttributeError):  # not Linux
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _reason(error: Exception) -> str:
    """In words without what was said: a library's message may quote a text."""
    return str(error) if isinstance(error, (Unfit, OSError, ImportError)) else type(error).__name__
