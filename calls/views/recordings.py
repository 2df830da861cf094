"""The sound of a call, for those who may hear it."""

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from calls.actions.listening import get_recording, listen
from temphone.lib import clock
from temphone.pages import StaffRequest, page
from temphone.ranged import ranged


@page
@require_safe
def call_recording(request: StaffRequest, call_id: str, number: int) -> HttpResponseBase:
    """The recording of one attempt, or the part that the player asks for; ``?download`` saves it."""
    actor = request.user.actor()
    recording = get_recording(actor=actor, call_id=call_id, number=number)
    return ranged(
        request,
        lambda: listen(actor=actor, recording=recording, now=clock.now()),
        as_attachment="download" in request.GET,
        **recording.as_file,
    )
