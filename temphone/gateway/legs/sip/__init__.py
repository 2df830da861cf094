"""Lines over SIP trunks, on baresip-python, which is imported nowhere else.

The **network** keeps the trunks and makes lines. It has one **stack** in the process: baresip's runtime, a
thread of its own; an **agent** in it is one identity at one trunk. A **line** is one call; its **media** is
the sound both ways; the **wire** tells of the messages that the stack does not report; **outcomes** says
what a trunk's answer means.
"""

from importlib import import_module
from importlib.util import find_spec

MAX_CALLS = 100  # what one process carries well; 255 is where the stack ends


def is_installed() -> bool:
    """Whether baresip-python is there."""
    return find_spec("baresip") is not None


def trouble() -> str:
    """Why baresip-python, which is there, cannot be loaded; empty when it can."""
    try:
        import_module("baresip")
    except (ImportError, OSError) as error:
        # It lacks a library of the system's, or its file is broken.
        return str(error)
    return ""
