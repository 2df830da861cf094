"""More made-up people, so that lists have a second page and charts have something to show."""

from temphone.management.demo.people import CHICAGO, DENVER, LA, NEW_YORK, Person

CHECK_UP = "check-up"
# Zone, and the numbers that are kept for fiction there.
PLACES = (
    (NEW_YORK, "+1212555{:04}", 150),
    (CHICAGO, "+1312555{:04}", 150),
    ("Europe/London", "+44207946{:04}", 100),
    (LA, "+1213555{:04}", 150),
    (NEW_YORK, "+1646555{:04}", 150),
    (DENVER, "+1303555{:04}", 150),
    ("America/Toronto", "+1416555{:04}", 150),
    ("Europe/Berlin", "+493023125{:03}", 100),
)
NAMES = (
    ("Amelia Hughes", "Hughes & Daughters"),
    ("Diego Fuentes", "Fuentes Tiles"),
    ("Oliver Pratt", "Pratt Instruments"),
    ("Sofia Marchetti", "Marchetti Gelato"),
    ("Daniel Cho", "Cho Architects"),
    ("Freya Lund", "Lund Outdoor"),
    ("Benoît Gagnon", "Érablière Gagnon"),
    ("Annika Vogel", "Vogel Messtechnik"),
    ("Isaac Levin", "Levin Hardware"),
    ("Ruth Adeyemi", "Adeyemi Catering"),
    ("Harriet Moss", "Moss & Thorn Florists"),
    ("Luis Ortega", "Ortega Motors"),
    ("Grace Park", "Park Pharmacy"),
    ("Walter Dunn", "Dunn Plumbing"),
    ("Mei Lin Wong", "Maple Tea House"),
    ("Stefan Brandt", "Brandt Fahrräder"),
    ("Naomi Feld", "Feld Optics"),
    ("Carlos Medina", "Medina Bakery"),
    ("Edward Finch", "Finch Stationers"),
    ("Aisha Karim", "Karim Interiors"),
    ("Peter Novak", "Novak Pianos"),
    ("Laura Jensen", "Jensen Ski Rental"),
    ("Samuel Roy", "Roy Printing"),
    ("Greta Schäfer", "Buchhandlung Schäfer"),
    ("Monica Reyes", "Reyes Landscaping"),
    ("Theo Papadakis", "Blue Door Diner"),
    ("Ivy Chambers", "Chambers Antiques"),
    ("Jamal Carter", "Carter Cycles"),
    ("Elena Petrova", "Petrova Ballet School"),
    ("Scott Weaver", "Weaver Brewing"),
    ("Priscilla Tan", "Tan Dental Lab"),
    ("Moritz Lang", "Lang Kaffeerösterei"),
    ("Abigail Stone", "Stone Masonry"),
    ("Vikram Shah", "Shah Electronics"),
    ("Poppy Clarke", "Clarke's Kennels"),
    ("Ramón Delgado", "Delgado Auto Glass"),
    ("Wendy Liu", "Liu Accounting"),
    ("Henrik Olsen", "Olsen Timber"),
    ("Chantal Roy", "Atelier Roy"),
    ("Ulrike Baumann", "Baumann Gartenbau"),
    ("George Whitaker", "Whitaker Roofing"),
    ("Fatima Noor", "Noor Textiles"),
    ("Arthur Penn", "Penn Surveyors"),
    ("Bianca Rossi", "Rossi Shoes"),
    ("Caleb Turner", "Turner Tools"),
    ("Dorothy Lane", "Lane Quilts"),
    ("Étienne Morin", "Morin Fromages"),
    ("Lukas Weber", "Weber Uhren"),
)


def _person(place: int, name: str, company: str) -> Person:
    zone, pattern, first = PLACES[place % len(PLACES)]
    tags = (CHECK_UP, *(("vip",) if place % 5 == 0 else ()), *(("new",) if place % 7 == 3 else ()))
    return Person(
        f"ctc_democrowd{place:03}",
        name,
        pattern.format(first + place // len(PLACES)),
        zone,
        company,
        tags=tags,
    )


CROWD = tuple(_person(place, name, company) for place, (name, company) in enumerate(NAMES))
