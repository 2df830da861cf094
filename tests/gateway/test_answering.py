"""Who answered, by the first words."""

import pytest

from temphone.gateway.conversation.answering import classify
from temphone.gateway.conversation.moves import Speech
from temphone.telephony.messages import AnsweredBy

VOICEMAIL = """
Hi, you've reached Alex. Please leave a message after the tone.
You have reached the voicemail box of four one five.
I can't come to the phone right now, leave your name and number.
Please record your message at the tone.
The person you are calling is not available. At the tone, please record your message.
Leave your name, your number and the reason for your call after the beep.
Hello, this is Alex, leave me a message.
Your call has been forwarded to voice mail.
You've reached the Smiths. We will call you back as soon as we can.
The mailbox is full.
Hola, ha llamado a Ana. Deje su mensaje después del tono.
Este es el buzón de voz de Ana.
You have reached Acme. Leave a message after the tone or press one for more options.
"""
SCREENING = """
Hi, the person you are calling is using a screening service. Please say your name and why you are calling.
Please state your name, and Google Voice will try to connect you.
Record your name and reason for calling, and I will see if this person is available.
This call is being screened. Who is calling?
Hi, I am a virtual assistant. What is the reason for your call?
Diga su nombre y el motivo de su llamada.
"""
IVR = """
Thank you for calling Acme. For sales, press one. For support, press two.
Para español, oprima el dos.
Please listen carefully, as our menu options have changed.
Your call is important to us. Please hold.
If you know your party's extension, dial it now. Otherwise, press zero.
"""
HUMAN = """
Hello?
Hello, this is Sam.
Hi, who is this?
Who is calling, please?
Yes?
Speaking.
Acme, good morning, how can I help you?
This is Sam. Who is it?
He's not available right now. Would you like to leave a message?
She can't come to the phone.
One moment please.
Bueno?
¿Diga?
¿Quién habla?
Allô?
"""


def cases(who, text):
    return [(line, who) for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        *cases(AnsweredBy.VOICEMAIL, VOICEMAIL),
        *cases(AnsweredBy.SCREENING, SCREENING),
        *cases(AnsweredBy.IVR, IVR),
        *cases(AnsweredBy.HUMAN, HUMAN),
    ],
)
def test_it_tells_who_answered(text, who):
    assert classify(Speech(text)) is who
