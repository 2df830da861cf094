"""What is said in every call: whole in each language, and what it asks the callee to say is understood."""

from dataclasses import asdict

import pytest

from temphone.telephony.sentences import ALL, ENGLISH, SPANISH, sentences_in
from temphone.telephony.understanding import asks_to_stop

each_language = pytest.mark.parametrize("ours", ALL.values(), ids=ALL)


@each_language
def test_each_says_who_calls_and_how_to_stop(ours):
    assert all(asdict(ours).values())
    assert ours.hello.count("{who}") == ours.this_is.count("{who}") == 1
    assert "9" in ours.stop
    assert ours.stop.count("{") == ours.stopped.count("{") == 0


@each_language
@pytest.mark.parametrize("which", ["stop", "stop_later"])
def test_who_says_what_they_are_told_to_say_has_opted_out(ours, which):
    text = getattr(ours, which)
    told = "stop calling" if ours is ENGLISH else text.rpartition(":")[2]
    assert told in text
    assert asks_to_stop(told.strip().capitalize())


@pytest.mark.parametrize(
    "text",
    [
        *("Stopp, bitte.", "Bitte stopp!", "Nein, stopp.", "Stop, s'il vous plaît.", "Non, stop. Merci."),
        *("Basta, grazie.", "Basta, per favore!", "Ora basta.", "Basta, obrigado.", "Não, basta, por favor."),
        *("No, stop.", "Stop, stop, please.", "Ya basta, por favor.", "OK stop, thanks."),
    ],
)
def test_the_word_counts_with_a_please_a_thanks_or_a_no_around_it(text):
    assert asks_to_stop(text)


def test_a_language_is_the_same_wherever_it_is_spoken_and_english_where_it_is_not_known():
    assert sentences_in("es-MX") is sentences_in("ES") is SPANISH
    assert sentences_in("pl") is sentences_in("") is ENGLISH
