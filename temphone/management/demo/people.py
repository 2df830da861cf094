"""The made-up organisation: staff, contacts, campaigns, numbers not to call.

Numbers are of those that a country keeps for fiction; where it keeps none, nobody's.
"""

from dataclasses import dataclass

from campaigns.states import CampaignStatus
from contacts.models import ConsentKind, Purpose
from temphone.accounts.actors import Role
from temphone.management.demo import CAMPAIGN, CONTACT


@dataclass(frozen=True, slots=True)
class Person:
    """A contact. ``story`` tells how the simulated network answers at the number."""

    id: str
    name: str
    phone: str
    zone: str
    company: str
    story: str = "polite"
    language: str = "en"
    consent: ConsentKind = ConsentKind.EXPRESS
    tags: tuple[str, ...] = ("renewal",)

    @property
    def first_name(self) -> str:
        """What friends say."""
        return self.name.partition(" ")[0]

    @property
    def last_name(self) -> str:
        """The rest."""
        return self.name.partition(" ")[2]

    @property
    def all_tags(self) -> list[str]:
        """With the story, where the number has one."""
        return [*self.tags, *(() if self.story == "polite" else (self.story,))]


STAFF = (
    ("admin", "Alex", "Reyes", Role.ADMIN),
    ("manager", "Maya", "Lindgren", Role.MANAGER),
    ("operator", "Omar", "Castell", Role.OPERATOR),
    ("viewer", "Vera", "Novak", Role.VIEWER),
)

LA, DENVER, CHICAGO, NEW_YORK = (
    f"America/{city}" for city in ("Los_Angeles", "Denver", "Chicago", "New_York")
)
NONE, WRITTEN = ConsentKind.NONE, ConsentKind.WRITTEN
PEOPLE = (
    # No consent: so the first call shows what test mode only warns of.
    Person(CONTACT, "Jordan Ellis", "+14155550100", LA, "Brightwater Insurance", "human", consent=NONE),
    # One for each story of the simulated network.
    Person("ctc_demovoicemail", "Priya Raman", "+14155550101", LA, "Lakeside Dental", "voicemail"),
    Person("ctc_demobusyline0", "Marcus Bell", "+14155550102", LA, "Bell & Sons Roofing", "busy"),
    Person("ctc_demonoanswer0", "Hannah Wolfe", "+14155550103", DENVER, "Summit Outfitters", "no answer"),
    Person("ctc_demoscreening", "Tomás Rivera", "+14155550104", CHICAGO, "Rivera Freight", "screening"),
    Person("ctc_demooptsout00", "Grace Okafor", "+14155550105", NEW_YORK, "Okafor Law", "opts out"),
    Person(
        "ctc_demotimeout00", "Leo Fischer", "+14155550106", NEW_YORK, "Fischer Prints", "carrier time-out"
    ),
    Person("ctc_demohangsup00", "Nadia Haddad", "+14155550107", CHICAGO, "Haddad Imports", "hangs up early"),
    Person("ctc_democallback0", "Owen Clarke", "+14155550108", DENVER, "Clarke Cycles", "wants a callback"),
    Person("ctc_demowrongone0", "Chloe Martin", "+14155550109", LA, "Martin Studio", "wrong person"),
    # People who listen and answer.
    Person("ctc_demonewyork00", "Evelyn Brooks", "+12125550142", NEW_YORK, "Brooks & Hale"),
    Person("ctc_demotoronto00", "Noah Tremblay", "+14165550145", "America/Toronto", "Tremblay Optics"),
    Person("ctc_demohonolulu0", "Kai Nakamura", "+18085550146", "Pacific/Honolulu", "Blue Reef Tours"),
    Person(
        "ctc_demomexico000",
        "Valeria Gómez",
        "+525500000023",
        "America/Mexico_City",
        "Casa Jacaranda",
        language="es",
    ),
    Person("ctc_demosaopaulo0", "Rafael Costa", "+551100000022", "America/Sao_Paulo", "Costa Café"),
    Person(
        "ctc_demolondon000",
        "Imogen Hart",
        "+442079460958",
        "Europe/London",
        "Hart Bookbinders",
        consent=WRITTEN,
    ),
    Person(
        "ctc_demoberlin000",
        "Jonas Keller",
        "+493023125012",
        "Europe/Berlin",
        "Keller Orgelbau",
        consent=WRITTEN,
    ),
    Person(
        "ctc_demoparis0000",
        "Camille Laurent",
        "+33199001234",
        "Europe/Paris",
        "Atelier Laurent",
        consent=WRITTEN,
    ),
    Person(
        "ctc_demomadrid000", "Lucía Navarro", "+34910000025", "Europe/Madrid", "Navarro Viajes", language="es"
    ),
    Person("ctc_demotokyo0000", "Aiko Tanaka", "+81300000021", "Asia/Tokyo", "Tanaka Ceramics"),
    Person(
        "ctc_demokolkata00", "Arjun Mehta", "+911100000024", "Asia/Kolkata", "Mehta Textiles", consent=NONE
    ),
    Person("ctc_demosydney000", "Matilda Reid", "+61255501234", "Australia/Sydney", "Reid Vineyards"),
    # Somebody who asked not to be called any more.
    Person("ctc_demostopped00", "Victor Lindqvist", "+14155550127", CHICAGO, "Lindqvist Marine", "opted out"),
)

REMINDERS = "camp_demoreminder"
SURVEY = "camp_demosurvey00"
CAMPAIGNS = (
    (CAMPAIGN, "Renewal follow-up", CampaignStatus.RUNNING, Purpose.INFORMATIONAL),
    (REMINDERS, "Appointment reminders", CampaignStatus.PAUSED, Purpose.INFORMATIONAL),
    (SURVEY, "Autumn customer survey", CampaignStatus.COMPLETED, Purpose.MARKETING),
)
SUPPRESSED = (  # number, whether it is a prefix, why
    ("+14155550160", False, "asked by e-mail"),
    ("+1900", True, "premium-rate numbers"),
)
