"""Who answered, by the first words."""

import pytest

from temphone.gateway.conversation.answering import classify, is_machine_after_all
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
I don't take calls I don't recognise, so leave a message after the beep.
Please state your name and number after the tone and we'll reach out.
Give your name and number after the beep and we will ring you back.
Leave a message, what you say will be transcribed.
"""
SCREENING = """
Hi, the person you are calling is using a screening service. Please say your name and why you are calling.
Please state your name, and Google Voice will try to connect you.
Record your name and reason for calling, and I will see if this person is available.
This call is being screened. Who is calling?
The person will get a copy of this conversation.
Hi, I am a virtual assistant. What is the reason for your call?
Diga su nombre y el motivo de su llamada.
Hello, I am the digital assistant of Jordan. What can I tell him?
Hi! This call is answered by an automated assistant. Go ahead.
This number uses call protection. Please announce yourself.
The person you want to speak to does not accept calls from unknown numbers.
Before connecting you, please state who you are.
Please tell us the purpose of your call.
Hello, this call is answered by an AI. Who is calling, and why?
What's this regarding? I'm an AI that picks up for Priya.
Name and reason? I'll text it to him and he might pick up.
Your number is not in their contacts. Say who you are and stay on the line.
We are asking the person you called whether they would like to speak with you.
Callers to this line are announced.
Mark doesn't take calls from numbers he hasn't saved.
"""
IVR = """
Thank you for calling Acme. For sales, press one. For support, press two.
Para español, oprima el dos.
Please listen carefully, as our menu options have changed.
Your call is important to us. Please hold.
If you know your party's extension, dial it now. Otherwise, press zero.
If this is an emergency, hang up and dial nine one one.
If you know your party's extension, you may dial it at any time.
In a few words, tell me what you need help with.
Please say yes or no.
Enter or say your account number.
All agents are busy. Your call will be answered by the next available agent.
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
Acme, this is Maria, his executive assistant.
Hello, is this an automated assistant?
May I say who is calling?
Who the hell is this?
What is this about?
Who is this, and what do you want?
He's not here.
Bueno?
¿Diga?
¿Quién habla?
Allô?
"""


# What only its length gives away.
RECITED = """
Hey, this is Bob, I can't come to the phone.
Sorry I missed you, I'll get back to you.
I'm away from my desk.
Our office is currently closed.
Hi, it's Kim, you know what to do.
"""
# As people speak who fetch somebody, are in doubt, or busy: a screener's words, and a menu's, are in it.
EVERYDAY = """
Reception, may I have your name and company please?
Smith and Sons, who's calling please? I'll see if he's in.
Good morning, Acme. Who's calling? I'll put you through.
Hello, Acme, may I ask what it's regarding? I'll transfer you.
Mr Brown's office, may I tell him who's calling?
Hold on, I'll get her. Who is it?
He's not here. Who's calling?
She's at work, who's this?
He's in the shower, can I ask who's calling?
My husband's out. What's this about? I can tell him.
Mum's in the garden, I'll get her. What's your name?
This is his wife. What is this about?
This is she. Who's calling?
This is her, what's this about?
They moved out years ago. Who is this?
He passed away last year. Who is this?
There's nobody called that here, they moved. Who is this?
Wrong number mate, she doesn't live here. Who is this?
Who is this? Call her back later, she's asleep.
Who is this? Is this an AI?
Is this a robot? Who is this?
Who is this? You sound like an automated system.
Who is this? I'm going to block this number.
Who's calling? I get so many spam calls.
I don't answer numbers I don't know. Who is this?
I usually don't pick up calls I don't recognise, sorry, who's this?
Sorry, I'm driving, I'll put you on speaker.
Let me put you on hold one second.
Hang on, I've put you on mute by accident. Okay, go ahead.
Hi, I see that you're calling from Boston?
I can't see what you sent me, sorry.
I see what you mean, go ahead.
Shell garage, who's this?
Name and company please?
Can I get your name and business?
Hi, this is Maria, his personal assistant. Who's calling?
Front desk, this is the receptionist for Dr. Lee, who's speaking?
To be honest, I'd say no.
For now I'd say yes, go ahead.
In a few words, please, I'm busy.
Sorry, I'm in the queue at the bank, what's up?
Hi, I'm in the queue at Tesco, can you call me back later?
Next available appointment is Thursday, does that suit?
Is this being recorded for training?
You can say that again. Hello?
Just say yes or no.
Acme Ltd, calls are recorded for quality, this is Jo speaking, how can I help?
What you say is nonsense.
My assistant took the day off.
I'll put you through to accounts.
Who is this? Go to hell.
I never answer unknown numbers. Who is this?
Hello, who is this and how did you get my name?
"""
# At any length.
PEOPLE = """
He's not available right now. Would you like to leave a message?
Sorry, I can't come to the phone right now, who is this?
Thank you for calling Smith and Sons, this is Janet speaking.
Hello? Hello? I can't hear you.
You've reached Acme, how may I help you?
Good morning, how can I help you?
What, press nine?
You said press 9, what does it do?
Should I press one?
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


@pytest.mark.parametrize("text", RECITED.strip().splitlines())
def test_what_is_said_at_length_to_nobody_is_a_voicemail(text):
    assert classify(Speech(text, lasts_ms=2_000)) is AnsweredBy.VOICEMAIL
    assert classify(Speech(text, lasts_ms=1_400)) is AnsweredBy.HUMAN
    assert classify(Speech(text)) is AnsweredBy.HUMAN


@pytest.mark.parametrize("text", PEOPLE.strip().splitlines())
def test_who_speaks_to_somebody_is_a_human_at_any_length(text):
    assert classify(Speech(text, lasts_ms=9_000)) is AnsweredBy.HUMAN


@pytest.mark.parametrize("text", EVERYDAY.strip().splitlines())
def test_who_asks_for_somebody_or_doubts_is_a_human(text):
    assert classify(Speech(text, lasts_ms=2_500)) is AnsweredBy.HUMAN


def test_a_very_long_greeting_is_a_voicemails():
    assert classify(Speech("Something about the weather.", lasts_ms=4_500)) is AnsweredBy.VOICEMAIL
    assert classify(Speech("Something about the weather.", lasts_ms=4_400)) is AnsweredBy.HUMAN


def test_what_was_not_understood_is_unknown_unless_the_rest_tells():
    assert classify(Speech("", lasts_ms=900, understood=False)) is AnsweredBy.UNKNOWN
    told = Speech("leave a message after the tone", lasts_ms=900, understood=False)
    assert classify(told) is AnsweredBy.VOICEMAIL


@pytest.mark.parametrize(
    "text",
    [
        "Leave your message at the beep.",
        "The mailbox is full.",
        "We can't take your call right now.",
        "It can not accept any new messages at this time.",
        "For sales press one. For support press two.",
        "For all other questions press 3.",
        "Press two for payments.",
        "Please record your message.",
        "Please say your name and why you are calling.",
    ],
)
def test_a_machine_gives_itself_away_later(text):
    assert is_machine_after_all(Speech(text, lasts_ms=2_500))
    assert not is_machine_after_all(Speech(text, lasts_ms=800))


@pytest.mark.parametrize(
    "text",
    [
        "Can I leave a message for him?",
        "Is this a voicemail?",
        "Press nine?",
        "To stop these calls I press nine?",
        "Press nine for what?",
        "I pressed one but nothing happened.",
        "She is not available.",
        "Just leave your name and number.",
    ],
)
def test_a_human_does_not(text):
    assert not is_machine_after_all(Speech(text, lasts_ms=3_000))
