"""A call is created once, whatever the API does, and what became of it is found out."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from temphone.gateway.legs.base import Failed
from temphone.gateway.legs.twilio import account, custody
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.fake_django import until
from tests.gateway.twilio.fake import answers, fails, rings
from tests.gateway.twilio.lines import (
    ACCOUNT,
    Note,
    a_call_made_by_hand,
    end_of,
    failure_of,
    soon,
    stage,
    taken,
)

pytestmark = pytest.mark.voice


def on(kind: str, fault: str):
    """This fault in every request of this kind."""
    return lambda asked, form: fault if asked == kind else None


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Looks and repetitions come at once."""
    monkeypatch.setattr(custody, "SEARCH_S", (0.02, 0.1))
    monkeypatch.setattr(custody, "AGAIN_S", (0.02, 0.1))
    monkeypatch.setattr(custody, "QUIET_S", 0.3)
    monkeypatch.setattr("temphone.gateway.legs.twilio.line.EVIDENCE_S", 0.5)


def ringing_fails(attempt_id="att_1", *, fields=None, **settings):
    """How the line of one attempt fails, and the fake Twilio after it."""

    async def test():
        async with stage(**settings) as here:
            line = here.line(attempt_id, **(fields or {}))
            return await failure_of(taken(line)), here.twilio

    return asyncio.run(test())


def test_it_rings_and_is_answered_when_the_callee_answers():
    async def test():
        async with stage() as here:
            line = here.line()
            ringing = asyncio.create_task(line.ring())
            await until(lambda: here.twilio.created["att_1"])
            call = here.twilio.call("att_1")
            await call.goes("initiated")
            assert not ringing.done()
            await call.goes("ringing")
            await asyncio.wait_for(ringing, 5)
            answering = asyncio.create_task(line.answer())
            await asyncio.sleep(0.05)
            assert not answering.done()
            await call.answers()
            await asyncio.wait_for(answering, 5)
            return call

    call = asyncio.run(test())
    assert (call.to, call.from_) == ("+14155552671", "+14155550199")
    assert (call.timeout_s, call.time_limit_s) == (5, 90)


def test_the_intent_is_noted_before_twilio_is_asked():
    failure = Failed(Outcome.CARRIER_ERROR, by=EndedBy.SYSTEM, cause="not_rung", rang=False)

    async def test():
        async with stage(plan=answers) as here:
            note = Note(failure=failure)
            failed = await failure_of(here.line(note=note).ring())
            assert failed is failure
            assert not here.twilio.created
            note = Note()
            await here.line("att_2", note=note).ring()
            assert note.notes == 1

    asyncio.run(test())


@pytest.mark.parametrize(
    ("plan", "outcome", "by", "cause"),
    [
        (fails("busy", "486"), Outcome.BUSY, EndedBy.CARRIER, "busy, SIP 486"),
        (fails("no-answer"), Outcome.NO_ANSWER, EndedBy.SYSTEM, "no-answer"),
        (fails("busy", "603"), Outcome.REJECTED, EndedBy.CALLEE, "busy, SIP 603"),
        (fails("failed", "404"), Outcome.INVALID_NUMBER, EndedBy.CARRIER, "failed, SIP 404"),
        (fails("failed", "503"), Outcome.CARRIER_ERROR, EndedBy.CARRIER, "failed, SIP 503"),
        (fails("canceled"), Outcome.CARRIER_ERROR, EndedBy.CARRIER, "canceled"),
    ],
    ids=["busy", "no answer", "declined", "no such number", "failed", "canceled elsewhere"],
)
@pytest.mark.parametrize("callbacks", ["once", "twice", "reordered"])
def test_how_twilio_ended_it_is_how_it_ended(plan, outcome, by, cause, callbacks):
    failed, twilio = ringing_fails(plan=plan, callbacks=callbacks)
    assert (failed.outcome, failed.by, failed.rang) == (outcome, by, True)
    assert failed.cause == cause
    assert twilio.created == {"att_1": 1}


@pytest.mark.parametrize(
    ("plan", "outcome"),
    [
        (fails("busy", "486"), Outcome.BUSY),
        (fails("no-answer"), Outcome.NO_ANSWER),
        (fails("failed", "404"), Outcome.CARRIER_ERROR),  # the API tells no SIP code
    ],
    ids=["busy", "no answer", "failed"],
)
def test_where_no_callback_comes_the_api_is_asked(plan, outcome):
    failed, twilio = ringing_fails(plan=plan, callbacks="lost")
    assert failed.outcome is outcome
    assert twilio.created == {"att_1": 1}


@pytest.mark.parametrize(
    ("to", "outcome", "code"),
    [
        ("+15005550001", Outcome.INVALID_NUMBER, "21217"),
        ("+15005550002", Outcome.INVALID_NUMBER, "21214"),
        ("+15005550003", Outcome.CARRIER_ERROR, "21215"),
        ("+15005550004", Outcome.CARRIER_ERROR, "21216"),
    ],
)
def test_what_twilio_refuses_did_not_ring_and_is_not_dialled_anew_at_once(to, outcome, code):
    failed, twilio = ringing_fails(fields={"to": to})
    assert (failed.outcome, failed.rang) == (outcome, True)
    assert code in failed.cause
    assert not twilio.created
    assert [kind for kind, *_ in twilio.asked].count("create") == 1
    assert len(failed.cause) <= 100


def test_a_wrong_token_is_told_in_clear_words_and_not_tried_again():
    failed, twilio = ringing_fails(fault=on("create", "401"))
    assert failed.outcome is Outcome.CARRIER_ERROR
    assert failed.cause == "Twilio 20003: account SID or auth token not accepted"
    assert not twilio.created


def test_too_many_requests_may_be_dialled_anew():
    failed, twilio = ringing_fails(fault=on("create", "429"))
    assert (failed.outcome, failed.rang) == (Outcome.CARRIER_ERROR, False)
    assert [kind for kind, *_ in twilio.asked].count("create") == 1


def test_an_api_that_is_not_there_was_surely_asked_nothing():
    async def test():
        async with stage() as here:
            await here.twilio._runner.cleanup()
            return await failure_of(here.line().ring())

    failed = asyncio.run(test())
    assert (failed.outcome, failed.rang) == (Outcome.CARRIER_ERROR, False)


@pytest.mark.parametrize("callbacks", ["once", "twice", "reordered", "lost"])
@pytest.mark.parametrize("fault", ["500 after", "reset", "no json"])
def test_a_call_whose_create_had_no_answer_is_found_and_goes_on(fault, callbacks):
    """By its callbacks, or where they are lost by the list; it is never created again."""

    async def test():
        async with stage(plan=answers, fault=on("create", fault), callbacks=callbacks) as here:
            line, call = await here.answered()
            await call.stream.presses("5")
            while not hasattr(heard := await line.receive(), "digit"):
                pass
            assert heard.digit == "5"
            await call.hangs_up()
            assert (await end_of(line)).by is EndedBy.CALLEE
            return here.twilio

    twilio = asyncio.run(test())
    assert twilio.created == {"att_1": 1}
    assert twilio.rung == {"att_1": 1}


def test_a_create_that_takes_longer_than_we_wait_is_found(monkeypatch):
    monkeypatch.setattr(account, "TIMEOUT", aiohttp.ClientTimeout(total=0.1))

    async def test():
        async with stage(plan=fails("busy"), fault=on("create", "slow 1"), callbacks="lost") as here:
            failed = await failure_of(here.line().ring())
            return failed, here.twilio

    failed, twilio = asyncio.run(test())
    assert failed.outcome is Outcome.BUSY
    assert twilio.created == {"att_1": 1}


def test_a_create_that_is_in_no_list_ends_as_unknown_and_is_never_repeated():
    failed, twilio = ringing_fails(
        fault=on("create", "500 before"), fields={"ring_timeout_s": 1, "not_after": soon(0.3)}
    )
    assert (failed.outcome, failed.rang) == (Outcome.UNKNOWN, True)
    assert [kind for kind, *_ in twilio.asked].count("create") == 1
    assert [kind for kind, *_ in twilio.asked].count("list") > 1


def test_an_older_call_between_the_same_numbers_is_not_taken_for_it():
    async def test():
        async with stage(callbacks="lost") as here:
            older = await a_call_made_by_hand(here, "att_0")
            older.status = "busy"
            older.created_at -= timedelta(minutes=10)
            here.twilio.fault = on("create", "500 before")
            return await failure_of(here.line(ring_timeout_s=1, not_after=soon(0.3)).ring())

    assert asyncio.run(test()).outcome is Outcome.UNKNOWN


def test_a_call_of_another_attempt_is_not_taken_for_it():
    async def test():
        async with stage(plan=rings) as here:
            await here.line("att_0").ring()
            here.twilio.fault = on("create", "500 before")
            return await failure_of(here.line(ring_timeout_s=1, not_after=soon(0.3)).ring())

    assert asyncio.run(test()).outcome is Outcome.UNKNOWN


def test_of_two_calls_that_it_could_be_neither_is_taken():
    async def test():
        async with stage(callbacks="lost") as here:
            for attempt_id in ("att_8", "att_9"):
                (await a_call_made_by_hand(here, attempt_id)).status = "busy"
            here.twilio.fault = on("create", "500 before")
            return await failure_of(here.line(ring_timeout_s=1, not_after=soon(0.3)).ring())

    assert asyncio.run(test()).outcome is Outcome.UNKNOWN


def test_it_does_not_ring_after_the_last_instant():
    failed, twilio = ringing_fails(fields={"not_after": datetime.now(UTC) - timedelta(seconds=1)})
    assert failed.rang is False
    assert not twilio.asked or "create" not in [kind for kind, *_ in twilio.asked]


def test_a_slow_disk_does_not_make_it_ring_late():
    class SlowNote(Note):
        async def about_to_dial(self) -> None:
            await asyncio.sleep(0.3)

    async def test():
        async with stage(plan=answers) as here:
            failed = await failure_of(here.line(note=SlowNote(), not_after=soon(0.1)).ring())
            assert failed.rang is False
            assert not here.twilio.created

    asyncio.run(test())


def test_a_call_that_twilio_keeps_in_its_queue_is_taken_back(monkeypatch):
    monkeypatch.setattr("temphone.gateway.legs.twilio.line.QUEUE_S", 0.1)
    failed, twilio = ringing_fails(fields={"not_after": soon(0.4)})
    assert (failed.outcome, failed.cause) == (Outcome.CARRIER_ERROR, "kept too long in Twilio's queue")
    assert twilio.call("att_1").status == "canceled"
    assert not twilio.rung


def test_the_ring_timeout_cancels_it():
    failed, twilio = ringing_fails(plan=rings, fields={"ring_timeout_s": 1})
    assert (failed.outcome, failed.by) == (Outcome.NO_ANSWER, EndedBy.SYSTEM)
    assert twilio.call("att_1").status == "canceled"


def test_two_trunks_go_over_two_accounts():
    async def test():
        async with stage(plan=answers) as here:
            first, one = await here.answered("att_1")
            second, other = await here.answered("att_2", trunk="second", to="+14155552672")
            assert (one.account_sid, other.account_sid) == (ACCOUNT, "AC" + "2" * 32)
            await other.hangs_up()
            await end_of(second)
            assert one.status == "in-progress"
            first.hang_up()
            await until(lambda: one.status == "completed")

    asyncio.run(test())


def test_a_trunk_that_is_not_known_surely_rang_nothing():
    failed, twilio = ringing_fails(fields={"trunk": "third"})
    assert failed.rang is False
    assert not twilio.created


def test_forty_at_once_are_forty_calls():
    async def test():
        async with stage(plan=fails("busy"), callbacks="twice") as here:
            patient = {"ring_timeout_s": 60, "not_after": soon(60)}
            lines = [
                here.line(f"att_{number}", to=f"+141555{number:05}", **patient) for number in range(100, 140)
            ]
            failed = await asyncio.gather(*(failure_of(taken(line)) for line in lines))
            assert {failure.outcome for failure in failed} == {Outcome.BUSY}
            return here.twilio

    twilio = asyncio.run(test())
    assert set(twilio.created.values()) == {1}
    assert len(twilio.created) == 40
