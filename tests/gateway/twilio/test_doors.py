"""What the outside can do: nothing without Twilio's signature, and nothing twice with it."""

import asyncio

import aiohttp
import pytest

from temphone.gateway.legs.twilio.network import NO_ADDRESS, TwilioNetwork
from temphone.gateway.legs.twilio.progress import News, Status
from temphone.telephony.messages import Outcome
from tests.gateway.fake_django import until
from tests.gateway.twilio.fake import answers, fails, rings
from tests.gateway.twilio.lines import (
    ACCOUNT,
    OTHER_ACCOUNT,
    PUBLIC_URL,
    end_of,
    failure_of,
    stage,
    taken,
    trunk,
)

pytestmark = pytest.mark.voice
MEDIA = "wss://gateway.test/twilio/media"


def test_a_callback_with_a_forged_signature_is_refused_and_changes_nothing():
    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            call = here.twilio.call("att_1")
            ended = call.parameters("busy")
            for signature in ("", "x", here.twilio.signature(ACCOUNT, call.callback, {})):
                assert await here.twilio.post(call, ended, signature=signature or "-") == 403
            answering = asyncio.create_task(one.answer())
            await asyncio.sleep(0.05)
            assert not answering.done()
            await call.answers()
            await answering

    asyncio.run(test())


def test_a_callback_is_of_the_attempt_that_was_signed():
    """What was signed for one attempt cannot be sent for another."""

    async def test():
        async with stage(plan=rings) as here:
            one, two = here.line("att_1"), here.line("att_2", to="+14155552672")
            await asyncio.gather(one.ring(), two.ring())
            call = here.twilio.call("att_1")
            ended = call.parameters("busy")
            signature = here.twilio.signature(ACCOUNT, call.callback, ended)
            call.callback = here.twilio.call("att_2").callback
            assert await here.twilio.post(call, ended, signature=signature) == 403

    asyncio.run(test())


def test_an_account_cannot_end_the_call_of_another():
    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            call = here.twilio.call("att_1")
            claim = call.parameters("busy") | {"AccountSid": OTHER_ACCOUNT}
            signed = here.twilio.signature(OTHER_ACCOUNT, call.callback, claim)
            assert await here.twilio.post(call, claim, signature=signed) == 204
            stolen = call.parameters("busy")
            signed = here.twilio.signature(OTHER_ACCOUNT, call.callback, stolen)
            assert await here.twilio.post(call, stolen, signature=signed) == 403
            answering = asyncio.create_task(one.answer())
            await call.answers()
            await answering

    asyncio.run(test())


def test_callbacks_may_be_replayed_for_ever():
    async def test():
        async with stage(plan=answers) as here:
            one, call = await here.answered()
            for status in ("initiated", "ringing", "in-progress", "ringing"):
                assert await here.twilio.post(call, call.parameters(status)) == 204
            call.sequence = 0
            await call.hangs_up()
            await end_of(one)
            for status in ("ringing", "in-progress", "completed", "busy"):
                assert await here.twilio.post(call, call.parameters(status)) == 204
            assert here.twilio.created == {"att_1": 1}

    asyncio.run(test())


@pytest.mark.parametrize(
    "told",
    [{}, {"CallStatus": "of tomorrow"}, {"CallStatus": "completed", "CallDuration": "x"}, {"CallSid": ""}],
)
def test_a_signed_callback_that_makes_no_sense_is_taken_and_passed_over(told):
    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            call = here.twilio.call("att_1")
            parameters = {"AccountSid": ACCOUNT, "CallSid": call.sid, "CallStatus": "ringing"} | told
            assert await here.twilio.post(call, parameters) == 204
            assert not one.progress.status.is_final

    asyncio.run(test())


def test_a_signature_may_cover_the_address_with_its_port():
    """As Twilio's back end does now and then, and its validator allows."""

    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            call = here.twilio.call("att_1")
            with_port = call.callback.replace("gateway.test", "gateway.test:443")
            ended = call.parameters("busy")
            signed = here.twilio.signature(ACCOUNT, with_port, ended)
            assert await here.twilio.post(call, ended, signature=signed) == 204
            assert (await failure_of(one.answer())).outcome is Outcome.BUSY

    asyncio.run(test())


def opened(here, *, token, attempt="att_1", account=ACCOUNT, call_sid=None, url=MEDIA, signed_by=None):
    """Open a stream with these words, and say whether it was let in."""

    async def open_():
        call_sid_ = call_sid or here.twilio.call(attempt).sid
        headers = {"x-twilio-signature": here.twilio.signature(signed_by or account, url, {})}
        start = {
            "streamSid": "MZ1",
            "accountSid": account,
            "callSid": call_sid_,
            "customParameters": {"attempt": attempt, "token": token},
        }
        async with here.twilio.session.ws_connect(f"{here.address}/twilio/media", headers=headers) as socket:
            await socket.send_json({"event": "connected", "protocol": "Call", "version": "1.0.0"})
            await socket.send_json({"event": "start", "streamSid": "MZ1", "start": start})
            try:
                message = await socket.receive(timeout=0.5)
            except TimeoutError:
                return True
            return message.type is aiohttp.WSMsgType.TEXT

    return open_()


def ringing(check, **settings):
    async def test():
        async with stage(plan=rings, **settings) as here:
            one = here.line()
            await one.ring()
            await check(here, one)

    asyncio.run(test())


def test_media_need_the_signature_on_the_upgrade():
    async def check(here, one):
        for headers in ({}, {"X-Twilio-Signature": "x"}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await here.twilio.session.ws_connect(f"{here.address}/twilio/media", headers=headers)
            assert refused.value.status == 403

    ringing(check)


@pytest.mark.parametrize("url", [MEDIA, f"{MEDIA}/"])
def test_media_with_the_token_are_let_in_once(url):
    async def check(here, one):
        assert await opened(here, token=one._token, url=url)
        assert not await opened(here, token=one._token, url=url)

    ringing(check)


def test_two_media_at_once_with_one_token_are_one():
    async def check(here, one):
        let_in = await asyncio.gather(*(opened(here, token=one._token) for _ in range(5)))
        assert let_in.count(True) == 1

    ringing(check)


def test_media_with_a_wrong_token_are_closed():
    async def check(here, one):
        for token in ("", "x", one._token[:-1], one._token + "x", "\u00e9"):
            assert not await opened(here, token=token)
        assert await opened(here, token=one._token)

    ringing(check)


def test_media_of_another_account_attempt_or_call_are_closed():
    async def check(here, one):
        two = here.line("att_2", to="+14155552672")
        await two.ring()
        assert not await opened(here, token=one._token, attempt="att_2")
        assert not await opened(here, token=one._token, account=OTHER_ACCOUNT)
        assert not await opened(here, token=one._token, signed_by=OTHER_ACCOUNT)
        assert not await opened(here, token=one._token, call_sid="CA" + "0" * 32)
        assert not await opened(here, token=one._token, attempt="att_none", call_sid="CA1")

    ringing(check)


def test_media_that_do_not_begin_with_a_start_are_closed():
    async def check(here, one):
        headers = {"x-twilio-signature": here.twilio.signature(ACCOUNT, MEDIA, {})}
        async with here.twilio.session.ws_connect(f"{here.address}/twilio/media", headers=headers) as socket:
            await socket.send_str("hello")
            assert (await socket.receive(timeout=2)).type is aiohttp.WSMsgType.CLOSE

    ringing(check)


def test_nothing_else_is_served_there():
    async def check(here, one):
        for path in ("/", "/dial", "/hang-up", "/find", "/healthz", "/twilio", "/twilio/other"):
            async with here.twilio.session.post(f"{here.address}{path}") as response:
                assert response.status == 404
        async with here.twilio.session.post(f"{here.address}/twilio/status", data=b"x" * 200_000) as response:
            assert response.status in {403, 413}

    ringing(check)


def test_a_trunk_is_ready_when_twilio_accepts_the_account():
    async def test():
        async with stage() as here:
            assert not here.network.state("first").ready
            await until(lambda: here.network.state("first").ready)
            assert here.network.state("second").ready
            assert not here.network.state("third").ready

    asyncio.run(test())


def test_a_trunk_with_a_wrong_token_says_so_and_another_is_not_hurt():
    async def test():
        async with stage() as here:
            here.network.keep(
                [trunk(here.twilio.url, auth_token="wrong"), trunk(here.twilio.url, id="second")]
            )
            await until(lambda: "401" in here.network.state("first").problem)
            await until(lambda: here.network.state("second").ready)
            here.network.keep([trunk(here.twilio.url)])
            await until(lambda: here.network.state("first").ready)
            assert not here.network.state("second").ready

    asyncio.run(test())


def test_a_trunk_whose_account_is_suspended_says_so():
    async def test():
        async with stage(account_status="suspended") as here:
            await until(lambda: "suspended" in here.network.state("first").problem)

    asyncio.run(test())


def test_a_trunk_without_a_public_address_says_so():
    async def test():
        network = TwilioNetwork("")
        network.keep([trunk("http://127.0.0.1:9")])
        assert network.state("first").problem == NO_ADDRESS
        await network.close()

    asyncio.run(test())


def test_without_the_library_the_trunk_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    network = TwilioNetwork(PUBLIC_URL)
    network.keep([trunk("http://127.0.0.1:9")])
    assert "voice" in network.state("first").problem


def test_a_call_that_rings_goes_on_when_its_trunk_is_taken_away():
    """Switched off, a trunk is one that the gateway is not told of any more."""

    async def test():
        async with stage(plan=rings) as here:
            one = here.line()
            await one.ring()
            here.network.keep([])
            call = here.twilio.call("att_1")
            assert await here.twilio.post(call, call.parameters("ringing")) == 204
            await call.answers()
            await one.answer()
            await until(lambda: call.stream and call.stream.open.is_set())
            await call.hangs_up()
            await end_of(one)
            await until(lambda: here.network.signers(lambda _: True) == set())

    asyncio.run(test())


def test_what_is_told_of_a_call_whose_account_is_gone_since_is_passed_over():
    async def test():
        async with stage(plan=rings) as here:
            here.network.keep([])
            here.network.told("att_9", ACCOUNT, News(sid="CA9", status=Status.RINGING))

    asyncio.run(test())


def test_a_trunk_whose_token_is_changed_goes_on():
    async def test():
        async with stage(plan=fails("busy")) as here:
            assert (await failure_of(taken(here.line()))).outcome is Outcome.BUSY
            here.twilio.accounts[ACCOUNT] = "a new one"
            here.network.keep([trunk(here.twilio.url, auth_token="a new one")])
            assert (await failure_of(taken(here.line("att_2")))).outcome is Outcome.BUSY
            assert {status for _, _, status in here.twilio.told} == {204}

    asyncio.run(test())
