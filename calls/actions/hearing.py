"""How a call will sound, heard before anybody is rung."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from threading import BoundedSemaphore

from calls import messages
from calls.actions.lookup import look_up
from calls.actions.scheduling import CallRequest, planned
from calls.models import Gateway
from calls.scripts import script_for
from campaigns.models import AgentVersion
from temphone import wiring
from temphone.accounts.actors import Actor, Role
from temphone.accounts.models import Mode
from temphone.lib.errors import DomainError
from temphone.telephony.messages import GatewayRef, Script
from temphone.telephony.port import Speechless, Unreachable

NOBODY = "No gateway here can speak. Real calls need the voice installation: docs/voice.md says how."
SLOW = "The gateway did not answer in time. Try again."
PATIENCE_S = 20.0  # half a minute of speech takes Piper two seconds on a core that is free
# A web process has few threads, and gateways need one of them for their heartbeat: who listens, and leaves
# and listens again, must not take them all.
ONE_AT_A_TIME = BoundedSemaphore(1)


class NoVoice(DomainError):
    """Nothing here can speak it now."""

    code = "no_voice"
    http_status = 503


def can_speak(now: datetime) -> bool:
    """Whether some gateway says that it can."""
    return Gateway.objects.reachable(now).filter(speaks=True).exists()


def script_of(*, actor: Actor, mode: Mode, request: CallRequest, now: datetime) -> Script:
    """The script that a call scheduled so would be made by, rendered for the time it is scheduled at.

    Raises:
        Forbidden, NotFound, Invalid, Refused: as scheduling would.
    """
    actor.require(Role.OPERATOR)
    known, _ = look_up(actor, request.contact_id, request.campaign_id, mode=mode, now=now)
    call = planned(actor, mode, request, known=known, now=now)
    agent = AgentVersion.objects.speaking([call.speaker_id])[call.speaker_id]
    message = messages.render_for(call, now=call.scheduled_at)
    return script_for(call, message, agent, now=call.scheduled_at)


def opening(*, script: Script, now: datetime) -> bytes:
    """A WAV of what a person who answers hears first: the preface and the message. Rings nobody.

    Raises:
        NoVoice: no gateway can speak it; the message says why.
    """
    gateways = [gateway.ref for gateway in Gateway.objects.reachable(now).filter(speaks=True)]
    if not ONE_AT_A_TIME.acquire(blocking=False):
        raise NoVoice("Somebody else is listening to a call just now. Try again in a moment.")
    try:
        return asyncio.run(_spoken(gateways, script))
    finally:
        ONE_AT_A_TIME.release()


async def _spoken(gateways: Sequence[GatewayRef], script: Script) -> bytes:
    """By the first that can."""
    problem, texts = NOBODY, (script.preface, script.message)
    carrier = wiring.carrier()
    try:
        async with asyncio.timeout(PATIENCE_S):
            for gateway in gateways:
                try:
                    return await carrier.speak(gateway, texts, language=script.language, voice=script.voice)
                except Speechless as error:
                    problem = f"The gateway cannot speak it: {error}."
                except Unreachable:
                    problem = SLOW
    except TimeoutError:
        problem = SLOW
    raise NoVoice(problem)
