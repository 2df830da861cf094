"""Real calls: scheduled by the API, over SIP, spoken and heard, to programs that nobody here wrote."""

import io
import urllib.parse
import urllib.request
import wave
from array import array
from datetime import timedelta

import pytest
from django.test import Client

from calls.models import Gateway
from contacts.models import Suppression
from temphone.accounts.actors import Role
from temphone.accounts.models import User
from temphone.lib.clock import now as utc_now
from temphone.telephony.understanding import words_of
from tests.builders import a_contact
from tests.gateway.sip.peers import sipp
from tests.gateway.sip.uas import Manners, Uas
from tests.pages.test_scheduling_a_call import values
from tests.voice.callees import MESSAGE, PREFACE, beep, silence, tracks

pytestmark = [
    pytest.mark.voice,
    pytest.mark.sip,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(400),
]
THINKS_S = 2.5  # from the end of what they say to what the agent says
LASTS = silence(90)
LOUD = 500  # of a sample: somebody hears it


def turn(details, words):
    """What was said with these words in it."""
    return next(one for one in details["transcript"] if words in one["text"])


def spoken(office, sound, said, *, before_ms=0):
    """The words that are heard where this was said, and two seconds after it."""
    start = max(0, said["offset_ms"] - before_ms) * 16
    length = len(office.sound(said["text"])) + (before_ms + 2_000) * 16
    return words_of(office.words(silence(0.5) + sound[start : start + length]))


def ending(details):
    return (details["status"], details["outcome"], details["attempts"][-1].get("answered_by"))


def hello(office):
    return silence(0.6) + office.sound("Hello?")


def answering(office, words, **way):
    """A callee who hears the message out and says this; again and again a while later, for a slow machine."""
    until_asked = silence(office.seconds(PREFACE, MESSAGE) + THINKS_S + 1.5)
    said = office.sound(words)
    again = (silence(9), said) * 2
    return office.callee(hello(office), until_asked, said, *again, LASTS, **way)


def test_people_and_machines_are_called_and_understood(office):
    agrees, by_agrees = answering(office, "Yes, that works for me.")
    _, by_later = answering(office, "Can you call me tomorrow?")
    _, by_stop = answering(office, "Please stop calling me.")
    greeting = office.sound("Hi, you have reached Alex. Please leave a message after the tone.")
    machine, by_machine = office.callee(silence(0.5), greeting, silence(0.8), beep(), LASTS)
    _, by_silent = office.callee(LASTS)
    _, by_over = office.callee(
        hello(office),
        silence(THINKS_S + 3),
        office.sound("Stop calling me, please. Do not call me again."),
        LASTS,
    )
    office.until_trunks_are_ready()

    calls = {
        name: office.schedule(caller_id)
        for name, caller_id in {
            "agrees": by_agrees,
            "later": by_later,
            "stop": by_stop,
            "machine": by_machine,
            "silent": by_silent,
            "over": by_over,
        }.items()
    }
    office.until_over(*calls.values(), timeout_s=240)
    told = {name: office.details(call) for name, call in calls.items()}

    expected = {
        "agrees": ("completed", "answered_human", "human"),
        "later": ("completed", "callback_requested", "human"),
        "stop": ("completed", "opted_out", "human"),
        "machine": ("completed", "voicemail_left", "voicemail"),
        "silent": ("completed", "message_delivered", "human"),
        "over": ("completed", "opted_out", "human"),
    }
    for name, ended in expected.items():
        assert ending(told[name]) == ended, (name, told[name]["transcript"], told[name]["events"])
        assert told[name]["attempts"][-1]["ended_by"] == "agent", name
    assert Suppression.objects.filter(number=calls["stop"].contact.phone).exists()
    assert Suppression.objects.filter(number=calls["over"].contact.phone).exists()

    # What they heard, and what is on record of both sides.
    message, yes = turn(told["agrees"], MESSAGE), turn(told["agrees"], "works")
    assert spoken(office, agrees.heard, message) == words_of(MESSAGE)
    assert "appointment" in spoken(office, machine.heard, turn(told["machine"], MESSAGE))
    assert PREFACE not in [one["text"] for one in told["over"]["transcript"]]
    recorded = {name: tracks(recording_of(office, call)) for name, call in calls.items()}
    answers = {
        "agrees": "works",
        "later": "tomorrow",
        "stop": "stop calling",
        "machine": "reached",
        "over": "stop calling",
    }
    for name, words in answers.items():
        assert words in callee_words(told[name]), (name, told[name]["transcript"])
    assert callee_words(told["silent"]) == ""
    for name, (agent, callee) in recorded.items():
        assert len(agent) == len(callee) > 0, name
        for one in told[name]["transcript"]:
            track = agent if one["speaker"] == "agent" else callee
            assert loud(track, one["offset_ms"]), (name, one)
    assert loud_until_ms(recorded["silent"][1]) == 0
    assert turn(told["machine"], MESSAGE)["offset_ms"] >= loud_until_ms(recorded["machine"][1])  # the beep

    agent, callee = recorded["agrees"]
    assert spoken(office, agent, message) == words_of(MESSAGE)
    assert "works" in spoken(office, callee, yes, before_ms=500)  # its first sound is not lost
    assert len(agent) > office.seconds(PREFACE, MESSAGE) * 16_000


def callee_words(details):
    """All that the callee said, as the transcript has it."""
    return words_of(" ".join(one["text"] for one in details["transcript"] if one["speaker"] != "agent"))


def loud(track, offset_ms):
    """Whether something is to be heard in the second after this instant."""
    return loud_until_ms(track[offset_ms * 16 :][:16_000]) > 0


def loud_until_ms(track):
    """When the last of the sound in it is over; 0 when there is none."""
    sound = array("h", track)
    return next((at + 1 for at in reversed(range(len(sound))) if abs(sound[at]) > LOUD), 0) // 8


def recording_of(office, call):
    office.until(lambda: office.details(call)["attempts"][-1]["recording"]["available"], 60)
    request = urllib.request.Request(
        f"{office.installation.url}/v1/calls/{call.pk}/recording",
        headers={"Authorization": f"Bearer {office.key}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


def test_phones_that_are_not_answered_say_why(office):
    refusals = {
        "refuses_486": ("scheduled", "busy"),
        "refuses_603": ("failed", "rejected"),
        "refuses_404": ("failed", "invalid_number"),
        "refuses_480": ("scheduled", "no_answer"),
        "refuses_503": ("scheduled", "carrier_error"),
    }
    by = {name: office.phone(sipp(name, office.folder / name))[1] for name in refusals}
    _, by["asks_407"] = office.phone(
        sipp("asks_407", office.folder / "asks_407"), user="alice", secret="secret"
    )
    for name, secret in {"asks_401": "s3cret", "wrong_password": "wrong"}.items():
        _, by[name] = office.phone(sipp("asks_401", office.folder / name), user="acme", secret=secret)
    for name in ("presses_nine", "hangs_up", "never_answers"):
        _, by[name] = office.phone(sipp(name, office.folder / name))
    office.until_trunks_are_ready()
    calls = {name: office.schedule(caller_id) for name, caller_id in by.items()}
    office.until(lambda: all(_tried(office, call) for call in calls.values()))
    refusals["wrong_password"] = ("scheduled", "carrier_error")
    refusals["never_answers"] = ("scheduled", "no_answer")
    for name, (status, outcome) in refusals.items():
        details = office.details(calls[name])
        assert (details["status"], details["attempts"][0]["outcome"]) == (status, outcome), name
    assert office.details(calls["presses_nine"])["outcome"] == "opted_out"
    for name in ("asks_401", "asks_407", "hangs_up"):
        assert office.details(calls[name])["attempts"][0].get("answered_at"), name
    cut = office.details(calls["hangs_up"])["attempts"][0]
    assert (cut["outcome"], cut["ended_by"]) == ("message_incomplete", "callee")
    assert office.details(calls["wrong_password"])["attempts"][0]["hangup_cause"].startswith("403")


def _tried(office, call):
    attempts = office.details(call)["attempts"]
    return bool(attempts) and attempts[0]["state"] == "ended"


def test_a_call_over_tls_is_heard(office):
    phone, by_tls = answering(office, "Yes, that works for me.", tls=True)
    office.until_trunks_are_ready()
    call = office.schedule(by_tls)
    office.until_over(call)
    details = office.details(call)
    assert ending(details) == ("completed", "answered_human", "human")
    assert spoken(office, phone.heard, turn(details, MESSAGE)) == words_of(MESSAGE)


def test_a_gateway_that_is_killed_while_it_rings_and_talks_rings_nobody_twice(office):
    phones = {
        "ringing": office.phone(Uas(Manners(answers_after=None))),
        "talking": office.phone(Uas(Manners(silent=True))),
    }
    office.until_trunks_are_ready()
    calls = {name: office.schedule(caller_id) for name, (_, caller_id) in phones.items()}

    def reached():
        rings = phones["ringing"][0].count("INVITE")
        return rings and office.details(calls["talking"])["transcript"]

    office.until(reached)
    office.installation.kill("gateway")
    office.installation.start("gateway")
    office.until_over(*calls.values())
    for name, (phone, _) in phones.items():
        details = office.details(calls[name])
        assert (details["status"], details["outcome"]) == ("failed", "unknown"), name
        assert (len(details["attempts"]), phone.count("INVITE")) == (1, 1), name


def test_the_opening_is_heard_before_anybody_is_rung(office):
    contact = a_contact(first_name="Jordan")
    office.until(lambda: Gateway.objects.filter(speaks=True).exists())
    browser = Client()
    browser.force_login(User.objects.create(username="op", role=Role.OPERATOR))
    token = "t" * 32
    sent = values(
        contact,
        message=f"Hi {{{{ first_name }}}}. {MESSAGE}",
        date=f"{utc_now() + timedelta(days=1):%Y-%m-%d}",
    )
    request = urllib.request.Request(
        f"{office.installation.url}/calls/new/sound/",
        data=urllib.parse.urlencode({**sent, "csrfmiddlewaretoken": token}).encode(),
        headers={"Cookie": f"sessionid={browser.cookies['sessionid'].value}; csrftoken={token}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "audio/wav"
        with wave.open(io.BytesIO(answer.read())) as wav:
            heard = words_of(office.words(wav.readframes(wav.getnframes())))
    assert words_of(MESSAGE) in heard
    assert "stop calling" in heard
