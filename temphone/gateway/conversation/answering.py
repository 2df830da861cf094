"""Who or what answered, by the first thing it says. Doubtful means human."""

from temphone.gateway.conversation import phrases
from temphone.gateway.conversation.understanding import words_of
from temphone.telephony.messages import AnsweredBy

# In this order: a voicemail may ask for the purpose or offer keys, a menu may say whom one has reached.
RULES = (
    (AnsweredBy.SCREENING, phrases.pattern(phrases.SCREENING)),
    (AnsweredBy.VOICEMAIL, phrases.pattern(phrases.VOICEMAIL)),
    (AnsweredBy.SCREENING, phrases.pattern(phrases.PURPOSE)),
    (AnsweredBy.IVR, phrases.pattern(phrases.IVR)),
    (AnsweredBy.VOICEMAIL, phrases.pattern(phrases.GREETING)),
)


def classify(text: str) -> AnsweredBy:
    """Who says this upon answering."""
    words = words_of(text)
    return next((who for who, rule in RULES if rule.search(words)), AnsweredBy.HUMAN)
