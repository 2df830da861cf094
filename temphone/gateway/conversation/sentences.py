"""Text that comes in pieces, as sentences fit to be spoken."""

import re

LONGEST = 300  # a sentence that does not end is cut at a blank before
MARKUP = re.compile(r"[*_`#~|\\]+")
UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
# A full stop ends no sentence after a single letter or a title, nor within a number.
END = re.compile(
    r"(?:(?<![A-Z.])(?<!\b[DM]r)(?<!\bMrs)(?<!\bMs)(?<!\bSt)(?<!\.\w)\.|[!?…])[\"')\]»”]*(?=\s)|[\u3002\uff01\uff1f]|\n"
)
LETTER = re.compile(r"[^\W_]")


class Sentences:
    """Takes pieces of text, gives back what is complete."""

    def __init__(self) -> None:
        self._text = ""

    def take(self, piece: str) -> list[str]:
        """The sentences that are complete with this piece."""
        self._text += piece
        found = []
        while sentence := self._next():
            found.append(sentence)
        return [spoken for sentence in found if (spoken := speakable(sentence))]

    def rest(self) -> list[str]:
        """What is left when no more comes."""
        rest, self._text = speakable(self._text), ""
        return [rest] if rest else []

    def _next(self) -> str:
        if end := END.search(self._text):
            cut = end.end()
        elif len(self._text) > LONGEST:
            cut = self._text.rfind(" ", 1, LONGEST) + 1 or LONGEST
        else:
            return ""
        sentence, self._text = self._text[:cut], self._text[cut:]
        return sentence


def storable(text: str) -> str:
    """The text on one line, without control characters and halves of characters."""
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return " ".join(UNSPEAKABLE.sub(" ", whole).split())


def speakable(text: str) -> str:
    """The text as it can be spoken: without markup; empty when no letter or digit is in it."""
    plain = " ".join(MARKUP.sub("", storable(text)).split())
    return plain if LETTER.search(plain) else ""
