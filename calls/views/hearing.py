"""How a call will sound, as an answer to the pages that play it."""

from collections.abc import Iterable

from django.http import HttpResponse

from calls.actions.hearing import NoVoice, opening
from temphone.lib import clock
from temphone.telephony.messages import Script

WAV = "audio/wav"


def sound_of(script: Script) -> HttpResponse:
    """The opening of a call by this script; plain text where nobody can speak it."""
    try:
        return HttpResponse(opening(script=script, now=clock.now()), content_type=WAV)
    except NoVoice as error:
        return untold([error.message], status=error.http_status)


def untold(problems: Iterable[str], *, status: int = 400) -> HttpResponse:
    """Why there is nothing to hear, in plain words."""
    return HttpResponse("\n".join(problems), content_type="text/plain; charset=utf-8", status=status)
