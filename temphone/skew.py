"""Whether this machine's clock agrees with the database's, by which all programs live."""

from datetime import datetime, timedelta

from django.db import connection

from temphone.lib.clock import now as utc_now

MOST = timedelta(seconds=2)  # as of a gateway's clock: beyond it, what is due and what is late are guesses


def skew() -> timedelta:
    """How far this machine's clock is ahead of the database's, less what asking took. SQLite has ours."""
    if connection.vendor == "sqlite":
        return timedelta(0)
    with connection.cursor() as cursor:
        before = utc_now()
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
        after = utc_now()
    return max(before - theirs, min(after - theirs, timedelta(0)))


def is_off() -> bool:
    """Whether the clocks differ by more than may be."""
    return abs(skew()) > MOST
