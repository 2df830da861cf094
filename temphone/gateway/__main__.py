"""``python -m temphone.gateway``, and ``python -m temphone.gateway check``."""

import argparse
import asyncio
import logging
import os
import sqlite3
import sys
from pathlib import Path

from temphone.gateway.check import check
from temphone.gateway.config import Config, from_environment
from temphone.gateway.gateway import Broken, serve
from temphone.gateway.ledger import Ledger
from temphone.gateway.reader import BadSetting
from temphone.gateway.store import InUse
from temphone.gateway.talking import Made, talks_here
from temphone.telephony.logs import PlainFormatter


def main(*, talks: Made = talks_here) -> int:
    """Run the gateway; returns the exit code. ``talks`` makes legs of lines.

    2: a wrong setting; 1: what it cannot use; 3: something died that only a new process can have again.
    """
    os.umask(0o077)  # numbers and words are for the owner's eyes
    arguments = _arguments()
    try:
        config = from_environment(os.environ)
    except BadSetting as error:
        return _refuse(str(error), code=1 if arguments.command else 2)
    _log(config.log_level)
    if arguments.command:
        return check(config, arguments.out or config.data_dir / "check.wav")
    return _run(config, talks)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m temphone.gateway", description="Carry calls.")
    commands = parser.add_subparsers(dest="command", title="instead")
    checking = commands.add_parser("check", help="say what real calls need, and what of it is here")
    checking.add_argument("--out", type=Path, metavar="FILE", help="where to speak to; check.wav")
    return parser.parse_args()


def _run(config: Config, talks: Made) -> int:
    logging.getLogger("temphone.gateway.gateway").setLevel(logging.INFO)
    try:
        ledger = Ledger(config.ledger)
    except InUse:
        return _refuse(f"Another gateway has the ledger {config.ledger}.", code=1)
    except (OSError, sqlite3.Error) as error:
        return _refuse(f"The ledger {config.ledger} cannot be opened: {error}.", code=1)
    return _serve(config, ledger, talks)


def _log(level: int) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler])


def _serve(config: Config, ledger: Ledger, talks: Made) -> int:
    try:
        asyncio.run(serve(config, ledger, talks=talks))
    except OSError as error:
        return _refuse(f"The gateway cannot start: {error}.", code=1)
    except Broken as error:
        return _refuse(f"{error}; it is to be started again.", code=3)
    finally:
        ledger.close()
    return 0


def _refuse(message: str, *, code: int) -> int:
    sys.stderr.write(f"gateway: {message}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
