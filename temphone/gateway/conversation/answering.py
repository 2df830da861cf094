"""Who or what answered, by the first thing it says and how long it talks. Doubtful means human."""

from temphone.gateway.conversation.moves import Speech
from temphone.telephony import phrases
from temphone.telephony.messages import AnsweredBy
from temphone.telephony.understanding import asks_to_repeat, words_of

# In this order: a voicemail may ask for the purpose or offer keys.
RULES = (
    (AnsweredBy.SCREENING, phrases.pattern(phrases.SCREENING)),
    (AnsweredBy.VOICEMAIL, phrases.pattern(phrases.VOICEMAIL)),
    (AnsweredBy.SCREENING, phrases.pattern(phrases.PURPOSE)),
    (AnsweredBy.IVR, phrases.pattern(phrases.IVR)),
)
# People greet in less, or at least ask something.
LONG_MS = 1_500
VERY_LONG_MS = 4_500

_ASIDE = phrases.pattern(phrases.MENU_ASIDE)
_ABSENCE = phrases.pattern(phrases.ABSENCE)
_GREETING = phrases.pattern(phrases.GREETING)
_ADDRESS = phrases.pattern(phrases.ADDRESS)
_ASKED_WHO = phrases.pattern(phrases.ASKED_WHO)
_STANDS_BETWEEN = phrases.pattern(phrases.STANDS_BETWEEN)
_MACHINE = phrases.pattern(phrases.MACHINE)


def classify(speech: Speech) -> AnsweredBy:
    """Who says this upon answering."""
    words = _words_of(speech)
    who = next((who for who, rule in RULES if rule.search(words)), None)
    if who is not None:
        return who
    if _ASKED_WHO.search(words) and _STANDS_BETWEEN.search(words):
        return AnsweredBy.SCREENING
    if _GREETING.search(words) and not _is_addressed(speech, words):
        return AnsweredBy.VOICEMAIL
    if not speech.understood:
        return AnsweredBy.UNKNOWN
    return AnsweredBy.VOICEMAIL if _is_recited(speech, words) else AnsweredBy.HUMAN


def is_machine_after_all(speech: Speech) -> bool:
    """Whether what was taken for a human says what no human says in a conversation."""
    if 0 < speech.lasts_ms < LONG_MS or not _MACHINE.search(_words_of(speech)):
        return False
    return classify(speech) not in {AnsweredBy.HUMAN, AnsweredBy.UNKNOWN}


def asks_who_calls(speech: Speech) -> bool:
    """Whether it asks who calls or why, or to hear it again; a mere "one moment" does not."""
    return _ASKED_WHO.search(words_of(speech.text)) is not None or asks_to_repeat(speech.text)


def _words_of(speech: Speech) -> str:
    """Its words, without those about our own "press nine": who asks about it is no menu."""
    return _ASIDE.sub(" ", words_of(speech.text))


def _is_recited(speech: Speech, words: str) -> bool:
    """Whether it is long, and says that nobody is there, or nothing to whoever calls."""
    if _is_addressed(speech, words):
        return False
    return speech.lasts_ms >= (LONG_MS if _ABSENCE.search(words) else VERY_LONG_MS)


def _is_addressed(speech: Speech, words: str) -> bool:
    """Whether it is said to somebody who is there."""
    return "?" in speech.text or _ADDRESS.search(words) is not None
