"""What is known of a call only goes forward."""

import itertools

import pytest

from temphone.gateway.legs.twilio.progress import News, Progress, Status

CALL = "CA1"
ENDS = [status for status in Status if status.is_final]
WAYS = [Status.QUEUED, Status.INITIATED, Status.RINGING, Status.IN_PROGRESS, Status.COMPLETED]


def test_the_ends_are_the_five_that_twilio_has():
    assert {str(end) for end in ENDS} == {"completed", "busy", "no-answer", "failed", "canceled"}


def test_in_whatever_order_it_is_told_it_comes_to_the_same():
    for told in itertools.permutations(WAYS):
        progress = Progress()
        for status in (*told, *told[:2]):
            progress.tell(News(sid=CALL, status=status, duration_s=7 if status.is_final else 0))
        assert (progress.status, progress.duration_s, progress.sid) == (Status.COMPLETED, 7, CALL)


@pytest.mark.parametrize("end", ENDS)
def test_the_first_end_stays(end):
    progress = Progress()
    progress.tell(News(sid=CALL, status=end, sip_code="1"))
    for status in Status:
        progress.tell(News(sid="CA2", status=status, sip_code="2"))
    assert (progress.status, progress.sip_code, progress.sid) == (end, "1", CALL)
