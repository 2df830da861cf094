"""What the AI says in a call: the texts around the message, made here and never by a model."""

from django.conf import settings

from calls.models import Call
from temphone.telephony.messages import Script


def script_for(call: Call, message: str) -> Script:
    """The script of an attempt; ``message`` is rendered already."""
    caller = f"an automated AI assistant calling for {settings.ORGANISATION}"
    recorded = " This call may be recorded." if call.recording_enabled else ""
    return Script(
        preface=(f"Hello, this is {caller}.{recorded} To stop these calls, press 9 or say stop calling."),
        message=message,
        voicemail_message=f"Hello, this is {caller}. {message} Goodbye.",
        screening_message=f"This is {caller} with a message.",
        goodbye="Thank you for your time. Goodbye.",
        opt_out_confirmation="Understood. We will not call this number again.",
        silence_reminder="Are you still there?",
        language=call.contact.language,
    )
