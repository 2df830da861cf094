"""What callees mean by their words."""

import pytest

from temphone.telephony.understanding import (
    asks_for_callback,
    asks_to_repeat,
    asks_to_stop,
    is_wrong_person,
    matches,
    says_no,
    says_yes,
    words_of,
)

STOP = """
Stop.
STOP!
Please stop.
Stop it, please.
Stop calling me
Please stop calling me.
Could you please stop calling this number?
Stop the calls.
I want you to stop calling.
You need to stop contacting me.
Quit calling me!
Cease all calls to this number.
Don't call me again.
Do not call me anymore.
Don\u2019t ever call here again.
Never call me again.
Please don't call this number any more.
Don't call back.
You should not be calling me, do not call again.
I told you not to call me.
Don't contact us.
Don't bother me again.
No more calls, please.
No more phone calls.
I don't want any more calls.
I don't want these calls.
I do not want to be called.
I don't want to be contacted.
I do not wish to receive calls from you.
I don't want you to call me.
I never want to hear from you again.
I don't want to hear from you.
Take me off your list.
Take me off the list please
Please remove me from your list.
Remove my number.
Remove my number from your database.
Delete my number.
Delete my data.
Lose my number.
Take my name off your list.
Put me on your do not call list.
Unsubscribe.
I'd like to opt out.
Opt me out.
Opt out
Leave me alone.
Leave us alone!
No me llame más.
No me llamen más, por favor.
No llame más a este número.
No vuelva a llamar.
No vuelva a llamarme.
No me vuelva a llamar.
Deje de llamarme.
Dejen de llamar.
Deja de llamarme
Pare de llamar.
Ya no me llame.
No me moleste.
No quiero más llamadas.
No quiero recibir llamadas.
No quiero que me llamen.
Quíteme de su lista.
Sáqueme de la lista.
Elimine mi número.
Borre mi número, por favor.
Quiero darme de baja.
Basta de llamadas.
Basta.
No más llamadas.
"""

NOT_STOP = """
Yes.
No.
Hello?
Hello, who is this?
Who is calling?
No thank you.
I'm not interested.
That works for me.
Sure, sounds good.
I'll stop by tomorrow.
The bus stop is nearby.
Can you call me tomorrow?
Call me back later.
Why don't you call me tomorrow?
Please call me again next week.
I can't talk right now.
I can't call you back today.
You can call me at this number.
Yes, you may call me any time.
Thank you for calling.
I was waiting for your call.
I have a call in a minute.
I don't need a call back.
I missed your calls.
I never got the message.
He doesn't live here.
You have the wrong number.
Let me take my glasses off.
Will you remove the stitches?
I want to cancel my appointment.
Please don't hang up.
Don't worry, I will be there.
Sí, está bien.
¿Puede llamarme mañana?
Llámeme más tarde, por favor.
No puedo mañana.
Me llamo Juan.
No me llamo Juan.
¿Quién llama?
Gracias por llamar.
Número equivocado.
"""

WRONG_PERSON = """
Wrong number.
You have the wrong number.
Sorry, I think you have the wrong person.
There's no one here by that name.
There is no Maria here.
Nobody by that name.
No one called that lives here.
She doesn't live here.
He no longer works here.
He doesn't work here any more.
I don't know him.
I'm not him.
That is not her.
I am not the person you want.
Número equivocado.
Está equivocado.
Se equivocó de número.
Aquí no vive ninguna María.
No vive aquí.
No conozco a esa persona.
"""

NOT_WRONG_PERSON = """
Yes, this is she.
This is Sam.
Speaking.
That is wrong, I paid.
I am not at home tomorrow.
Is this about the dentist?
This is not a good time.
No, thank you.
I don't know.
I am not sure.
I live here.
Sí, soy yo.
No sé.
"""

CALLBACK = """
Can you call me tomorrow?
Call me back later.
Call back tomorrow, please.
Could you call back?
Please call again later.
Call me after five.
Can you try again later?
Ring me next week.
Call me in an hour.
Call me in 20 minutes.
Call me on Monday.
Call me Friday.
Can you call me at noon?
I'm driving, call me back.
This is not a good time.
It's a bad time.
Why don't you call me tomorrow?
¿Puede llamarme mañana?
Llámeme más tarde.
Llame mañana, por favor.
Llámame luego.
Vuelva a llamar el lunes.
No es buen momento.
"""

NOT_CALLBACK = """
Yes.
I called you yesterday.
Thanks for calling.
I will call you.
Who is calling?
Tomorrow works for me.
That time is good.
See you next week.
You called me this morning.
Gracias por llamar.
Mañana está bien.
"""

YES = """
Yes.
Yes, that works for me.
Yeah, sure.
Yep
OK
Okay, great.
Of course.
Sounds good.
That is fine.
Absolutely!
No problem.
Yes, no problem.
Why not?
I'll be there.
Sí.
Si, claro.
Por supuesto.
Está bien.
De acuerdo.
Vale.
"""

NO = """
No.
Nope.
No, thank you.
I can't.
I can't make it.
That doesn't work.
That is not okay.
I won't be there.
Not really.
Yes, but not tomorrow.
No puedo.
Nunca.
"""

NEITHER = """
Maybe.
Who is this?
What time?
Hello?
My dog is barking.
Quizás.
"""

REPEAT = """
What?
Pardon?
Sorry?
Excuse me?
Can you repeat that?
Could you say that again?
Say it again please.
I didn't catch that.
I couldn't hear you.
What did you say?
One more time... once more please.
¿Cómo?
¿Puede repetir?
No entendí.
"""


def sentences(text):
    return text.strip().splitlines()


@pytest.mark.parametrize("text", sentences(STOP))
def test_it_hears_an_opt_out(text):
    assert asks_to_stop(text)


@pytest.mark.parametrize("text", sentences(NOT_STOP) + sentences(YES) + sentences(NO) + sentences(REPEAT))
def test_it_hears_no_opt_out_where_there_is_none(text):
    assert not asks_to_stop(text)


@pytest.mark.parametrize("text", sentences(WRONG_PERSON))
def test_it_hears_that_they_are_somebody_else(text):
    assert is_wrong_person(text)


@pytest.mark.parametrize("text", sentences(NOT_WRONG_PERSON) + sentences(YES) + sentences(CALLBACK))
def test_it_does_not_take_the_right_person_for_another(text):
    assert not is_wrong_person(text)


@pytest.mark.parametrize("text", sentences(CALLBACK))
def test_it_hears_that_they_want_a_callback(text):
    assert asks_for_callback(text)


@pytest.mark.parametrize("text", sentences(NOT_CALLBACK) + sentences(YES) + sentences(NO))
def test_it_hears_no_callback_where_there_is_none(text):
    assert not asks_for_callback(text)


@pytest.mark.parametrize("text", sentences(YES))
def test_it_hears_a_yes(text):
    assert says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize("text", sentences(NO))
def test_it_hears_a_no(text):
    assert says_no(text)
    assert not says_yes(text)


@pytest.mark.parametrize("text", sentences(NEITHER))
def test_it_does_not_guess(text):
    assert not says_yes(text)
    assert not says_no(text)


@pytest.mark.parametrize("text", sentences(REPEAT))
def test_it_hears_that_they_want_to_hear_it_again(text):
    assert asks_to_repeat(text)


def test_words_are_plain():
    assert words_of("  ¿Quién LLAMA?  Don\u2019t -- call  me!") == "quien llama dont call me"


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("on monday", "Let us say on Monday."),
        ("yes", "Sure!"),
        ("no", "I can't."),
        ("1", "1"),
        ("sí", "Claro"),
    ],
)
def test_a_phrase_matches(phrase, text):
    assert matches(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [("mon", "On Monday."), ("no", "Nobody minds, sure."), ("yes", "No."), ("", "anything"), ("!", "!")],
)
def test_a_phrase_does_not_match(phrase, text):
    assert not matches(phrase, text)


@pytest.mark.timeout(5)
@pytest.mark.parametrize("text", ["stop the " * 5000, "a" * 50_000, "no " * 20_000, "call me " * 10_000])
def test_a_long_speech_costs_little(text):
    for understood in (asks_to_stop, is_wrong_person, asks_for_callback, asks_to_repeat, says_yes, says_no):
        understood(text)
