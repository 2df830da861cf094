"""A worker whose model is a name: it does what it is asked, be it to die or to hang."""

import os
import sys
import time
from pathlib import Path

from temphone.gateway.speech.workers.frames import LENGTHS
from temphone.gateway.speech.workers.serving import Unfit, serve

ANSWERS = 3
FAILURES = {"fail": ValueError("a secret text"), "refuse": Unfit("is no text")}


def load():
    (mood,) = sys.argv[1:]
    if mood == "missing":
        raise FileNotFoundError(2, "No such file")
    if mood == "crashing":
        os._exit(3)
    return work


def work(words, sound):
    match words["do"]:
        case "echo":
            return {"said": words["say"]}, sound
        case "print":
            sys.stdout.write("a library speaks\n")
            return {}, b""
        case "fail" | "refuse":
            raise FAILURES[words["do"]]
        case "die":
            os._exit(3)
        case "die once":
            if not (mark := Path(words["mark"])).exists():
                mark.touch()
                os._exit(3)
            return {"pid": os.getpid()}, b""
        case "babble":
            # Standard output is the duplicate that ``serve`` made of it: the first free number.
            os.write(ANSWERS, LENGTHS.pack(4, 0) + b"nope")
            time.sleep(600)
        case "hang":
            time.sleep(600)
        case "pid":
            return {"pid": os.getpid()}, b""
    raise AssertionError(words)


if __name__ == "__main__":
    sys.exit(serve(load))
