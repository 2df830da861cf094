"""What a call's page shows of its recordings."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calls.models import Attempt, Call, Recording
from calls.views.players import BARS, Player
from temphone.accounts.actors import Role
from temphone.telephony.messages import RecordingProblem
from tests.builders import NOON, a_call, a_recording
from tests.pages.conftest import EARLIER, a_finished_call, an_attempt, htmx, say, text_of
from tests.sounds import a_wav, silence, tone


def a_sip_call(*, ended_ago: timedelta = timedelta(hours=1), **fields: object) -> Call:
    """A finished call over a real line."""
    call = a_finished_call(**fields)
    call.attempts.update(carrier="sip", ended_at=EARLIER - ended_ago)
    return call


def page_of(client, call: Call) -> str:
    """Its page, but for the frame's looks, which every page has."""
    return re.sub(r'<i id="frame".*?</i>', "", text_of(client, f"/calls/{call.pk}/"))


def test_who_may_listen_gets_a_player(browse):
    call = a_finished_call()
    say(call.attempts.get(), "Yes, speaking.")
    a_recording(call.attempts.get(), a_wav(tone(64)))

    page = page_of(browse(), call)

    address = f"/calls/{call.pk}/recording/1/"
    assert f'<audio controls preload="none" src="{address}"></audio>' in page
    assert 'aria-valuetext="0:00 of 1:04"' in page
    assert 'aria-valuemax="64"' in page
    assert f'href="{address}?download"' in page
    assert f'href="{address}#t=1.0"' in page
    assert 'data-attempt="1" data-at="1000"' in page
    assert "player.js" in page


def test_what_shows_the_result_leads_into_the_recording(browse):
    call = a_finished_call()
    call.attempts.update(evidence={"said": "Yes, speaking.", "offset_ms": 21_400})
    a_recording(call.attempts.get(), a_wav(tone(64)))

    shown = page_of(browse(), call).split('strip-shown"')[1].split("</div>")[0]

    assert f'href="/calls/{call.pk}/recording/1/#t=21.4" data-attempt="1" data-at="21400"' in shown
    assert "/recording/" not in page_of(browse(Role.VIEWER), call)


def test_a_viewer_is_told_that_there_is_one_and_gets_none(browse):
    call = a_finished_call()
    say(call.attempts.get(), "Yes, speaking.")
    a_recording(call.attempts.get())

    page = page_of(browse(Role.VIEWER), call)

    assert "To listen needs the role operator." in page
    assert "/recording/" not in page
    assert "<audio" not in page


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (RecordingProblem.DISK_FULL, "Was to be recorded, but the disk of the gateway was full."),
        (RecordingProblem.DISK_ERROR, "Was to be recorded, but the disk of the gateway failed."),
        (RecordingProblem.EMPTY, "Was to be recorded, but it ended before there was anything to hear."),
        (RecordingProblem.BROKEN, "Was to be recorded, but what arrived from the gateway cannot be played."),
        (RecordingProblem.LOST, "Was to be recorded, but it never arrived whole from the gateway."),
    ],
)
def test_why_there_is_none_is_said_in_plain_words(browse, problem, text):
    call = a_sip_call()
    Recording.objects.create(attempt=call.attempts.get(), state="failed", problem=problem.value)

    page = page_of(browse(), call)

    assert text in page
    assert "<audio" not in page


def test_one_that_was_deleted_says_when(browse):
    call = a_sip_call()
    a_recording(call.attempts.get())
    Recording.objects.update(state="deleted", deleted_at=NOON)

    assert "The recording was deleted on 15 March 2026." in page_of(browse(), call)


def test_one_on_its_way_is_looked_for_again(browse):
    call = a_sip_call(ended_ago=timedelta(minutes=1))
    client = browse()
    for _ in range(2):  # before its first part, and after
        page = page_of(client, call)
        assert "The recording is on its way." in page
        assert 'hx-trigger="every 3s, refresh"' in page
        Recording.objects.get_or_create(attempt=call.attempts.get(), state="uploading")
    call.attempts.update(ended_at=EARLIER - timedelta(minutes=6))
    assert "data-poll" not in page_of(client, call)


def test_one_that_never_came_says_so(browse):
    page = page_of(browse(), a_sip_call())

    assert "Was to be recorded, but nothing has arrived from the gateway." in page
    assert "data-poll" not in page


@pytest.mark.parametrize("call", ["simulated", "not to be", "not answered", "scheduled"])
def test_where_there_is_nothing_to_hear_nothing_is_said(browse, call):
    if call == "simulated":
        made = a_finished_call()
    elif call == "not to be":
        made = a_sip_call(recording_enabled=False)
    elif call == "not answered":
        made = a_sip_call()
        Attempt.objects.update(answered_at=None)
    else:
        made = a_call()

    page = page_of(browse(), made)

    assert re.search(r'<div id="recordings" class="recordings">\s*</div>', page)


def test_whether_it_was_recorded_stands_in_the_details(browse):
    client = browse()

    def told(call):
        return re.search(r"Recorded</dt><dd>([^<]*)</dd>", page_of(client, call))[1]

    assert told(a_finished_call(recording_enabled=False)) == "No"
    assert told(a_finished_call()) == "No: the simulated network has no sound"
    heard = a_finished_call()
    a_recording(heard.attempts.get())
    assert told(heard) == "Yes"
    live = a_finished_call()
    Call.objects.filter(pk=live.pk).update(mode="live")
    assert told(live) == "Asked for"


def test_each_attempt_has_its_player(browse):
    call = a_finished_call("busy")
    a_recording(call.attempts.get())
    a_recording(an_attempt(call, state="ended", outcome="message_delivered"))

    page = page_of(browse(), call)

    for number in (1, 2):
        assert f'src="/calls/{call.pk}/recording/{number}/"' in page
        assert f'aria-label="Recording of attempt {number}"' in page


def test_a_player_that_is_there_is_not_replaced(browse):
    call = a_sip_call(ended_ago=timedelta(minutes=1))
    client, address = browse(), f"/calls/{call.pk}/"
    heard = re.search(r"heard=([^\"]*)\"", page_of(client, call))[1]
    assert 'id="recordings"' not in htmx(client, address, heard=heard)

    a_recording(call.attempts.get())
    fragment = htmx(client, address, heard=heard)

    assert '<div id="recordings" class="recordings" hx-swap-oob="true">' in fragment
    assert "<audio" in fragment
    assert "data-poll" not in fragment


def test_players_cost_the_same_however_many(browse):
    call, client, counts = a_finished_call("busy"), browse(), []
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            page_of(client, call)
        counts.append(len(queries))
        a_recording(an_attempt(call, state="ended", outcome="busy"))
    assert len(set(counts)) == 1


# The picture


def strokes(path: str) -> list[float]:
    return [float(height) for height in re.findall(r"M\d+\.5 32v(-?[\d.]+)", path)]


def picture(left, right) -> tuple[list[float], list[float]]:
    call = a_finished_call()
    recording = a_recording(call.attempts.get(), a_wav(left, right))
    player = Player(attempt=recording.attempt, recording=recording, note="", is_awaited=False)
    return strokes(player.agent), strokes(player.callee)


def test_the_picture_shows_who_spoke_when(db):
    agent, callee = picture(tone(2) + silence(2), silence(2) + tone(2))
    assert len(agent) == len(callee) == BARS
    assert max(agent[: BARS // 2]) < -15  # upwards
    assert min(agent[BARS // 2 :]) == -0.7
    assert max(callee[: BARS // 2]) == 0.7
    assert min(callee[BARS // 2 :]) > 15


@pytest.mark.parametrize("loudness", [1, 0.5, 0.2])
def test_the_loudest_is_as_tall_as_can_be_and_silence_is_seen(db, loudness):
    agent, callee = picture(tone(1, loudness=loudness), silence(1))
    assert min(agent) == -30
    assert set(callee) == {0.7}


def test_noise_on_a_silent_line_is_not_blown_up(db):
    agent, _ = picture(tone(1, loudness=0.02), silence(1))
    assert min(agent) > -10
