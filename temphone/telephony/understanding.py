"""What a callee means, by fixed rules over their words.

The rules lean to the safe side: rather one number suppressed too many than one opt-out missed.
"""

import re
import unicodedata

from temphone.telephony import phrases

APOSTROPHES = re.compile(r"['`\u2018\u2019\u00b4]")

_STOP = phrases.pattern(phrases.STOP)
_WRONG_PERSON = phrases.pattern(phrases.WRONG_PERSON)
_CALLBACK = phrases.pattern(phrases.CALLBACK)
_REPEAT = phrases.pattern(phrases.REPEAT)
_FILLER = phrases.pattern(phrases.FILLER)
_NO_TRANSFER = phrases.pattern(phrases.NO_TRANSFER)
_THANKS = phrases.pattern(phrases.THANKS)
_NOT_A_NO = phrases.pattern(phrases.NOT_A_NO)
_NO = phrases.pattern(phrases.NO)
_YES = phrases.pattern(phrases.YES)


def words_of(text: str) -> str:
    """The words of ``text`` alone: small letters, no accents, no apostrophes, one blank between."""
    plain = unicodedata.normalize("NFKD", APOSTROPHES.sub("", text.casefold()))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", letters))


def asks_to_stop(text: str) -> bool:
    """Whether they ask never to be called again."""
    return _STOP.search(words_of(text)) is not None


def is_wrong_person(text: str) -> bool:
    """Whether they say that they are not whom we want."""
    return _WRONG_PERSON.search(words_of(text)) is not None


def asks_for_callback(text: str) -> bool:
    """Whether they ask to be called at another time."""
    return _CALLBACK.search(words_of(text)) is not None


def asks_to_repeat(text: str) -> bool:
    """Whether they want to hear it again."""
    return _REPEAT.search(words_of(text)) is not None


def is_filler(text: str) -> bool:
    """Whether it is a mere noise of agreement or thought."""
    return _FILLER.search(words_of(text)) is not None


def objects_to_transfer(text: str) -> bool:
    """Whether they do not want to be handed over to somebody else."""
    return _NO_TRANSFER.search(words_of(text)) is not None


def agrees(text: str) -> bool:
    """Whether they have nothing against it: a yes or thanks, and no word of a no."""
    words = words_of(text)
    return (
        not says_no(text) and not objects_to_transfer(text) and bool(says_yes(text) or _THANKS.search(words))
    )


def says_no(text: str) -> bool:
    """Whether it is a no; "yes, but not tomorrow" is one."""
    return _NO.search(_NOT_A_NO.sub(" ", words_of(text))) is not None


def says_yes(text: str) -> bool:
    """Whether it is a yes and not a no."""
    words = words_of(text)
    return not says_no(text) and bool(_YES.search(words) or _NOT_A_NO.search(words))


def matches(phrase: str, text: str) -> bool:
    """Whether ``text`` has the words of ``phrase``, in order and together.

    The phrases "yes" and "no" stand for every wording of them.
    """
    wanted = words_of(phrase)
    if wanted in {"yes", "si"}:
        return says_yes(text)
    if wanted == "no":
        return says_no(text)
    return bool(wanted) and f" {wanted} " in f" {words_of(text)} "
