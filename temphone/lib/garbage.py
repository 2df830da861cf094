"""What a program has loaded when it is ready stays until its end: no collector need look through it."""

import gc

# New objects at which the young are looked through, and how often those looked through before are: a page
# makes some ten thousands. Python's own 700 cost a page of the dashboard a sixth of its time.
THRESHOLDS = (10_000, 20, 20)


def leave_what_is_loaded() -> None:
    """Collect once, keep what is left out of every collection to come, and make these rarer."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
