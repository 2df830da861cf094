"""The demo's calls: those of the past two weeks with how they went, and a few to come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from temphone.management.demo import CAMPAIGN, CONTACT
from temphone.management.demo.people import REMINDERS, SURVEY
from temphone.management.demo.stories import (
    AGREED,
    BUSY,
    CALLBACK,
    CARRIER_ERROR,
    HUNG_UP,
    KEPT,
    NO_ANSWER,
    OPTED_OUT,
    SCREENED,
    THANKED,
    VOICEMAIL,
    WRONG_PERSON,
    Told,
)

WEBHOOK_URL = "https://webhooks.example.com/ai-calls"


@dataclass(frozen=True, slots=True)
class Errand:
    """Why we call. One that a program asked for has a webhook and metadata; staff have neither."""

    message: str
    campaign: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_program(self) -> bool:
        """Whether a program asked for it."""
        return bool(self.metadata)


@dataclass(frozen=True, slots=True)
class Planned:
    """A call: to whom, so many days after today (before, if negative), at what time of theirs.

    ``told`` is how each dial of a past one went.
    """

    contact: str
    day: int
    time: str
    errand: Errand
    told: tuple[Told, ...] = ()
    canceled: bool = False


RENEWAL = Errand(
    "Hi {{first_name}}, this is the TemPhone AI assistant following up on your renewal. "
    "It is due next week; shall we keep the same plan?",
    CAMPAIGN,
    {"playbook": "renewal_followup_v2", "priority": "high"},
)
REMINDER = Errand(
    'Hi {{ first_name | default: "there" }}, a reminder of your appointment on {{ metadata.day }}. '
    "Will you be there?",
    REMINDERS,
    {"day": "Thursday at ten"},
)
SURVEYED = Errand(
    "Hi {{first_name}}, how do you like {{ metadata.product }}?", SURVEY, {"product": "our portal"}
)
BY_HAND = Errand("Hello {{first_name}}, we have received what {{ contact.company }} sent us. Thank you!")
AVISO = Errand("Hola {{first_name}}, hemos recibido los documentos de {{ contact.company }}. ¡Gracias!")

PAST = (
    Planned("ctc_demolondon000", -13, "10:00", SURVEYED, (AGREED,)),
    Planned("ctc_demoberlin000", -13, "10:30", SURVEYED, (THANKED,)),
    Planned("ctc_demoparis0000", -13, "11:00", SURVEYED, (NO_ANSWER, AGREED)),
    Planned("ctc_demonewyork00", -9, "09:15", RENEWAL, (AGREED,)),
    Planned("ctc_demotoronto00", -9, "09:30", RENEWAL, (VOICEMAIL,)),
    Planned("ctc_demosaopaulo0", -8, "14:00", RENEWAL, (BUSY, THANKED)),
    Planned("ctc_demomexico000", -8, "16:20", AVISO, (AGREED,)),
    Planned("ctc_demostopped00", -7, "11:00", RENEWAL, (OPTED_OUT,)),
    Planned("ctc_demostopped00", -6, "11:00", RENEWAL),  # canceled by the opt-out
    Planned("ctc_demowrongone0", -6, "10:10", RENEWAL, (WRONG_PERSON,)),
    Planned("ctc_demovoicemail", -5, "13:00", RENEWAL, (VOICEMAIL,)),
    Planned("ctc_demotimeout00", -5, "09:00", RENEWAL, (CARRIER_ERROR, CARRIER_ERROR, CARRIER_ERROR)),
    Planned("ctc_demotokyo0000", -5, "15:00", BY_HAND, (THANKED,)),
    Planned("ctc_demosydney000", -4, "09:45", BY_HAND, (AGREED,)),
    Planned("ctc_demonoanswer0", -4, "08:30", RENEWAL, (NO_ANSWER, NO_ANSWER, NO_ANSWER)),
    Planned("ctc_democallback0", -3, "15:40", RENEWAL, (CALLBACK,)),
    Planned("ctc_demohangsup00", -3, "12:05", RENEWAL, (HUNG_UP,)),
    Planned("ctc_demohonolulu0", -3, "10:00", BY_HAND, canceled=True),
    Planned("ctc_demokolkata00", -2, "11:30", RENEWAL, (AGREED,)),
    Planned("ctc_demoscreening", -2, "17:00", RENEWAL, (SCREENED,)),
    Planned(CONTACT, -2, "09:00", RENEWAL, (NO_ANSWER, KEPT)),
    Planned("ctc_demomadrid000", -1, "12:15", AVISO, (THANKED,)),
    Planned("ctc_demolondon000", -1, "16:00", BY_HAND, (AGREED,)),
)
# Busy a while ago, and to be tried again.
RETRIED = Planned("ctc_demobusyline0", 0, "", RENEWAL, (BUSY,))
# Due while nothing ran that could dial: it was too late by then, so it never rang.
MISSED, MISSED_AGO = Planned("ctc_demonewyork00", 0, "", BY_HAND), timedelta(hours=3)
TO_COME = (
    Planned(CONTACT, 1, "10:00", RENEWAL),
    Planned("ctc_demolondon000", 1, "15:30", BY_HAND),
    Planned("ctc_demotokyo0000", 2, "11:00", BY_HAND),
    Planned("ctc_democallback0", 2, "10:15", RENEWAL),
    Planned("ctc_demovoicemail", 3, "09:00", REMINDER),
    Planned("ctc_demotoronto00", 3, "09:30", REMINDER),
    Planned("ctc_demonewyork00", 4, "14:00", REMINDER),
    Planned("ctc_demosydney000", 1, "10:00", BY_HAND),
    Planned("ctc_demomadrid000", 1, "17:00", AVISO),
    Planned("ctc_demoberlin000", 2, "16:30", BY_HAND),
    Planned("ctc_demoparis0000", 2, "18:00", BY_HAND),
    Planned("ctc_demomexico000", 5, "12:15", AVISO),
    Planned("ctc_demosaopaulo0", 5, "15:00", RENEWAL),
)
