"""How a call will sound, heard before anybody is rung."""

import asyncio
from datetime import datetime

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
    problem = NOBODY
    for gateway in Gateway.objects.reachable(now).filter(speaks=True):
        try:
            return asyncio.run(_spoken(gateway.ref, script))
        except Speechless as error:
            problem = f"The gateway cannot speak it: {error}."
        except Unreachable:
            problem = "The gateway did not answer in time. Try again."
    raise NoVoice(problem)


async def _spoken(gateway: GatewayRef, script: Script) -> bytes:
    texts = (script.preface, script.message)
    return await wiring.carrier().speak(gateway, texts, language=script.language, voice=script.voice)
