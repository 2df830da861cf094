"""What we end is ended at Twilio, however its API is; and a callee may be handed over."""

import asyncio

import pytest

from temphone.gateway.legs.line import Gone
from temphone.gateway.legs.twilio import custody, line
from temphone.telephony.messages import EndedBy, Outcome
from tests.gateway.fake_django import until
from tests.gateway.twilio.fake import answers, rings
from tests.gateway.twilio.lines import Note, a_call_made_by_hand, end_of, failure_of, soon, stage

pytestmark = pytest.mark.voice


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(custody, "SEARCH_S", (0.02, 0.1))
    monkeypatch.setattr(custody, "AGAIN_S", (0.02, 0.1))
    monkeypatch.setattr(custody, "QUIET_S", 0.3)


def failing(kinds: set[str], faults: list[str]):
    """These faults in turn in requests of these kinds; then all is well."""
    left = list(faults)
    return lambda kind, form: left.pop(0) if kind in kinds and left else None


def test_a_hang_up_before_the_answer_cancels_it():
    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            answering = asyncio.create_task(failure_of(one.answer()))
            await asyncio.sleep(0.05)
            one.hang_up()
            one.hang_up()
            assert (await answering).outcome is Outcome.CANCELED_BY_USER
            await until(lambda: here.twilio.call("att_1").status == "canceled")

    asyncio.run(test())


def test_a_hang_up_after_the_answer_completes_it():
    async def test():
        async with stage(plan=answers) as here:
            one, call = await here.answered()
            one.hang_up()
            assert (await end_of(one)).by is EndedBy.STAFF
            await until(lambda: call.status == "completed")

    asyncio.run(test())


def test_a_hang_up_before_the_dial_dials_nothing():
    async def test():
        async with stage(plan=answers) as here:
            one = here.line()
            one.hang_up()
            assert (await failure_of(one.ring())).outcome is Outcome.CANCELED_BY_USER
            assert not here.twilio.created

    asyncio.run(test())


def test_a_hang_up_while_it_is_created_ends_it_as_soon_as_it_has_a_name():
    async def test():
        slow = failing({"create"}, ["slow 0.3"])
        async with stage(fault=slow) as here:
            one = here.line()
            ringing = asyncio.create_task(failure_of(one.ring()))
            await until(lambda: here.twilio.created["att_1"])
            one.hang_up()
            assert (await ringing).outcome is Outcome.CANCELED_BY_USER
            await until(lambda: here.twilio.call("att_1").status == "canceled")

    asyncio.run(test())


@pytest.mark.parametrize("faults", [["500 before"] * 3, ["reset"], ["500 after"], ["429"] * 3])
def test_a_hang_up_is_repeated_until_twilio_has_taken_it(faults):
    async def test():
        async with stage(plan=answers, fault=failing({"update", "fetch"}, faults)) as here:
            one, call = await here.answered()
            one.hang_up()
            await until(lambda: call.status == "completed")

    asyncio.run(test())


def test_answered_in_the_moment_of_the_hang_up_it_is_completed():
    """Canceling spares a call that is answered; Twilio says so, and it is ended all the same."""

    async def test():
        async with stage(plan=rings, callbacks="lost") as here:
            one = here.line()
            await one.ring()
            call = here.twilio.call("att_1")
            call.status = "in-progress"  # of which nobody has told us
            one.hang_up()
            await until(lambda: call.status == "completed")

    asyncio.run(test())


def test_the_media_of_a_call_that_was_hung_up_are_refused():
    async def test():
        stuck = failing({"update"}, ["500 before"] * 10)
        async with stage(plan=rings, fault=stuck) as here:
            one = here.line()
            await one.ring()
            one.hang_up()
            call = here.twilio.call("att_1")
            await call.answers()
            await until(lambda: call.status == "completed")
            assert not one._streamed

    asyncio.run(test())


def test_a_call_that_appears_after_it_was_given_up_is_ended():
    """Its create had no answer, no list showed it, the attempt ended as unknown: and then it rings."""

    async def test():
        late = failing({"create"}, ["500 before"])
        async with stage(fault=late) as here:
            failed = await failure_of(here.line(ring_timeout_s=1, not_after=soon(0.2)).ring())
            assert failed.outcome is Outcome.UNKNOWN
            ghost = await a_call_made_by_hand(here, "att_1")
            await ghost.goes("ringing")
            await until(lambda: ghost.status == "canceled")

    asyncio.run(test())


def test_a_call_of_no_attempt_is_ended():
    async def test():
        async with stage() as here:
            ghost = await a_call_made_by_hand(here, "att_of_long_ago")
            await ghost.goes("ringing")
            await until(lambda: ghost.status == "canceled")

    asyncio.run(test())


def restarted(status: str | None, *, callbacks="lost", hang_up=False, monkeypatch, duration_s=0):
    """How an attempt ends that a gateway finds begun, where Twilio has its call in this state."""
    monkeypatch.setattr(line, "SEARCH_S", 10.0 if status else 1.0)

    async def test():
        async with stage(callbacks=callbacks) as here:
            call = None
            if status:
                call = await a_call_made_by_hand(here, "att_1")
                call.status, call.duration_s = status, duration_s
            one = here.line(note=Note(begun=True))
            ringing = asyncio.create_task(failure_of(one.ring()))
            if hang_up:
                one.hang_up()
            failed = await ringing
            assert here.twilio.created["att_1"] == bool(status)
            return failed, call.status if call else None

    return asyncio.run(test())


@pytest.mark.parametrize(
    ("found", "outcome", "cause", "left"),
    [
        ("queued", Outcome.NO_ANSWER, "restarted while it rang", "canceled"),
        ("ringing", Outcome.NO_ANSWER, "restarted while it rang", "canceled"),
        ("in-progress", Outcome.UNKNOWN, "restarted; completed after", "completed"),
        ("completed", Outcome.UNKNOWN, "restarted; completed after 37 s", "completed"),
        ("busy", Outcome.BUSY, "busy", "busy"),
        ("no-answer", Outcome.NO_ANSWER, "no-answer", "no-answer"),
        ("failed", Outcome.CARRIER_ERROR, "failed", "failed"),
        (None, Outcome.UNKNOWN, "restarted; Twilio lists no such call", None),
    ],
)
def test_after_a_restart_the_call_is_looked_up_and_ended_and_never_dialled(
    found, outcome, cause, left, monkeypatch
):
    failed, status = restarted(found, monkeypatch=monkeypatch, duration_s=37 if found == "completed" else 0)
    assert (failed.outcome, failed.rang, status) == (outcome, True, left)
    assert failed.cause.startswith(cause)


def test_after_a_restart_a_hang_up_that_was_asked_for_counts(monkeypatch):
    failed, status = restarted("ringing", hang_up=True, monkeypatch=monkeypatch)
    assert (failed.outcome, status) == (Outcome.CANCELED_BY_USER, "canceled")


def test_after_a_restart_twilios_api_may_be_away_for_a_while(monkeypatch):
    async def test():
        async with stage(callbacks="lost") as here:
            call = await a_call_made_by_hand(here, "att_1")
            await call.goes("ringing")
            here.twilio.fault = failing({"list", "update", "fetch"}, ["500 before", "429", "reset"] * 2)
            failed = await failure_of(here.line(note=Note(begun=True)).ring())
            assert (failed.outcome, call.status) == (Outcome.NO_ANSWER, "canceled")
            assert here.twilio.created == {"att_1": 1}

    asyncio.run(test())


def test_the_callee_is_handed_over():
    async def test():
        async with stage(plan=answers) as here:
            one, call = await here.answered()
            assert await one.transfer("+14155550123")
            assert await end_of(one) == Gone(EndedBy.AGENT, "transferred")
            one.hang_up()  # as whoever drives it does at the end
            await asyncio.sleep(0.2)
            assert call.status == "in-progress"
            assert '<Dial callerId="+14155550199">+14155550123</Dial>' in call.twiml
            assert call.time_limit_s == 14_400

    asyncio.run(test())


@pytest.mark.parametrize(("fault", "taken"), [("reset", True), ("500 before", False), ("429", False)])
def test_a_transfer_is_asked_for_once_and_told_as_it_came_out(fault, taken, monkeypatch):
    monkeypatch.setattr(line, "TAKEN_S", 0.3)

    async def test():
        async with stage(plan=answers) as here:
            one, call = await here.answered()
            if fault == "reset":  # it is done, and the answer lost
                here.twilio.fault = lambda kind, form: _redirect_without_answer(here, call, form)
            else:
                here.twilio.fault = failing({"update"}, [fault])
            assert await one.transfer("+14155550123") is taken
            redirects = [form for kind, _, form in here.twilio.asked if kind == "update" and "Twiml" in form]
            assert len(redirects) == 1
            if not taken:
                one.hang_up()
                await until(lambda: call.status == "completed")

    asyncio.run(test())


def _redirect_without_answer(here, call, form):
    if "Twiml" not in form:
        return None
    here.twilio.do(call.updated(form))
    return "500 after"


def test_the_media_may_stop_before_the_answer_to_a_transfer_comes():
    async def test():
        async with stage(plan=answers, fault=failing({"update"}, ["slow 0.3"])) as here:
            one, call = await here.answered()
            handing_over = asyncio.create_task(one.transfer("+14155550123"))
            await until(lambda: here.twilio.asked[-1][0] == "update")
            here.twilio.do(call.stream.stop())
            call.twiml = "<Dial"
            await until(lambda: not one._streaming)
            assert await handing_over
            assert (await end_of(one)).by is EndedBy.AGENT

    asyncio.run(test())


def test_a_callee_who_hangs_up_while_they_are_handed_over_is_gone():
    async def test():
        async with stage(plan=answers, fault=failing({"update"}, ["slow 0.3"])) as here:
            one, call = await here.answered()
            handing_over = asyncio.create_task(one.transfer("+14155550123"))
            await until(lambda: here.twilio.asked[-1][0] == "update")
            await call.hangs_up()
            assert not await handing_over
            assert (await end_of(one)).by is EndedBy.CALLEE

    asyncio.run(test())


def test_who_answers_after_the_ring_timeout_is_not_connected():
    async def test():
        stuck = failing({"update"}, ["500 before"] * 100)
        async with stage(plan=rings, fault=stuck) as here:
            one = here.line(ring_timeout_s=1)
            await one.ring()
            failing_ = asyncio.create_task(failure_of(one.answer()))
            await until(lambda: [kind for kind, *_ in here.twilio.asked].count("update"))
            call = here.twilio.call("att_1")
            await call.answers()
            assert (await failing_).outcome is Outcome.NO_ANSWER
            await until(lambda: call.status == "completed")
            assert not one._streamed

    asyncio.run(test())


def test_a_call_that_is_not_answered_cannot_be_handed_over():
    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            assert not await one.transfer("+14155550123")

    asyncio.run(test())
