"""What a call is to do, in Twilio's markup, by Twilio's library."""

LONGEST_S = 14_400  # Source: Twilio, "TimeLimit": four hours


def stream(url: str, *, attempt_id: str, token: str) -> str:
    """Connect the call's media to us, and end it when we close."""
    from twilio.twiml.voice_response import Connect, VoiceResponse

    connect = Connect()
    media = connect.stream(url=url)
    media.parameter(name="attempt", value=attempt_id)
    media.parameter(name="token", value=token)
    response = VoiceResponse()
    response.append(connect)
    return str(response)


def transfer(to: str, *, caller_id: str) -> str:
    """Connect the callee with another number."""
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.dial(to, caller_id=caller_id)
    return str(response)
