"""Countries as people call them."""

from collections.abc import Mapping
from functools import cache
from unicodedata import normalize

from babel import Locale

from temphone.lib import phone


@cache
def names(language: str) -> Mapping[str, str]:
    """Every region that has numbers, by its two letters: its name in a language, such as es or es-MX.

    Sorted as the language sorts them without its accents.
    """
    english = {region: named.rpartition(" (")[0] for region, named in phone.countries().items()}
    if language.split("-", maxsplit=1)[0] == "en":
        return english
    theirs = Locale.parse(language, sep="-").territories
    named = {region: theirs.get(region, name) for region, name in english.items()}
    return dict(sorted(named.items(), key=lambda item: normalize("NFD", item[1])))


@cache
def with_codes(language: str) -> Mapping[str, str]:
    """The same, each with how its numbers begin: Spain (+34)."""
    codes = {region: named.rpartition("(")[2] for region, named in phone.countries().items()}
    return {region: f"{name} ({codes[region]}" for region, name in names(language).items()}


def name(region: str, language: str = "en") -> str:
    """The name of one region; two letters that are none stay as they are."""
    return names(language).get(region, region)


@cache
def in_language(english: str, language: str) -> str:
    """A country's English name in another language; any other text as it is."""
    regions = {named: region for region, named in names("en").items()}
    return name(regions[english], language) if english in regions else english
