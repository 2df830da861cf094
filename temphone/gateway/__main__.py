"""``python -m temphone.gateway``."""

import asyncio
import logging
import os
import sqlite3
import sys

from temphone.gateway.config import BadSetting, Config, from_environment
from temphone.gateway.gateway import Broken, Talks, serve
from temphone.gateway.ledger import Ledger
from temphone.gateway.store import InUse
from temphone.telephony.logs import PlainFormatter


def main(*, talks: Talks | None = None) -> int:
    """Run the gateway; returns the exit code. ``talks`` makes legs of lines.

    2: a wrong setting; 1: what it cannot use; 3: something died that only a new process can have again.
    """
    os.umask(0o077)  # numbers and words are for the owner's eyes
    try:
        config = from_environment(os.environ)
    except BadSetting as error:
        return _refuse(str(error), code=2)
    _log(config.log_level)
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


def _serve(config: Config, ledger: Ledger, talks: Talks | None) -> int:
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
