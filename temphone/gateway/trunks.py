"""The trunks that this gateway was told of.

Django tells them at every heartbeat. They are kept beside the ledger too, sealed with the gateway's
secret, so that a gateway that starts while Django is away has them.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import msgspec

from temphone.lib.sealing import Unreadable, seal, unseal
from temphone.telephony.messages import SipTrunk, Trunk, TrunkState

PURPOSE = b"temphone trunks of a gateway"

log = logging.getLogger(__name__)


class Keeper(Protocol):
    """What has the trunks of one kind ready."""

    def keep(self, trunks: Sequence[Trunk], /) -> None:
        """Have these ready, and no others; calls that are up go on as they are. Never blocks."""

    def state(self, trunk_id: str, /) -> TrunkState:
        """How one of them is."""


class Trunks:
    """The trunks, and who keeps them."""

    def __init__(self, path: Path, *, secret: str, problem: Callable[[], str | None] = lambda: None) -> None:
        """``path`` is where they are kept; what is there is read. ``problem``: why none may be used now."""
        self._path = path
        self._secret = secret
        self.problem = problem
        self._trunks: Mapping[str, Trunk] = _by_id(_read(path, secret))
        self._keepers: dict[str, Keeper] = {}

    def find(self, trunk_id: str) -> Trunk | None:
        """The trunk as it is now. May be asked in any thread."""
        return self._trunks.get(trunk_id)

    def of(self, kind: str) -> list[Trunk]:
        """Those of this kind (sip, twilio). May be asked in any thread."""
        return [trunk for trunk in self._trunks.values() if kind_of(trunk) == kind]

    def kept_by(self, kind: str, keeper: Keeper) -> None:
        """Have the trunks of this kind (sip, twilio) kept by this keeper, from now on."""
        self._keepers[kind] = keeper
        keeper.keep(self.of(kind))

    def learn(self, told: Sequence[Trunk]) -> None:
        """These there are now."""
        trunks = _by_id(told)
        if trunks == self._trunks:
            return
        self._trunks = trunks
        _write(self._path, told, self._secret)
        for kind, keeper in self._keepers.items():
            keeper.keep(self.of(kind))

    def states(self) -> dict[str, TrunkState]:
        """How each is, by its id."""
        return {trunk.id: self._state(trunk) for trunk in self._trunks.values()}

    def _state(self, trunk: Trunk) -> TrunkState:
        if problem := self.problem():
            return TrunkState(ready=False, problem=problem)
        keeper = self._keepers.get(kind_of(trunk))
        if keeper is None:
            return TrunkState(ready=False, problem=f"this gateway carries no calls over {kind_of(trunk)}")
        return keeper.state(trunk.id)


def kind_of(trunk: Trunk) -> str:
    """The kind of legs that it carries, as a dial names it."""
    return "sip" if isinstance(trunk, SipTrunk) else "twilio"


def _by_id(trunks: Sequence[Trunk]) -> Mapping[str, Trunk]:
    return {trunk.id: trunk for trunk in trunks}


def _read(path: Path, secret: str) -> Sequence[Trunk]:
    try:
        sealed = path.read_text("ascii")
        return msgspec.json.decode(unseal(sealed, secret=secret, purpose=PURPOSE), type=list[Trunk])
    except FileNotFoundError:
        return ()
    except OSError as error:
        _cannot_read(path, error)
    except (Unreadable, UnicodeDecodeError, msgspec.DecodeError) as error:
        _cannot_read(path, error)
        with suppress(OSError):
            path.unlink()  # of no use to us; an earlier version left passwords in clear
    return ()


def _cannot_read(path: Path, error: Exception) -> None:
    log.warning("The trunks in %s cannot be read (%s); Django will tell them.", path, type(error).__name__)


def _write(path: Path, trunks: Sequence[Trunk], secret: str) -> None:
    """Replace the file as a whole; nobody else may read it, at no moment."""
    new = path.with_name(path.name + ".new")
    try:
        sealed = seal(msgspec.json.encode(trunks).decode(), secret=secret, purpose=PURPOSE)
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed.encode())
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        log.warning("The trunks cannot be kept in %s (%s).", path, type(error).__name__)
