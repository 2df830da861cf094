"""What people write as a phone number."""

import pytest

from temphone.lib.phone import Place, countries, international, place_of, to_e164


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+1-415-555-0199", "+14155550199"),
        ("+1 (415) 555.0199", "+14155550199"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("+49 0151 23456789", "+4915123456789"),
        ("+٤٤ ٢٠ ٧٩٤٦ ٠٠١٨", "+442079460018"),
    ],
)
def test_it_is_read_as_it_is_meant(written, number):
    assert to_e164(written) == number
    assert to_e164(number) == number


@pytest.mark.parametrize(
    "written",
    [
        "415 555 0199",  # of which country?
        "+1-800-FLOWERS",
        "+1 415 555 0199 x5",
        "+43 664",  # possible in Austria, from nowhere else
        "+261 202123 0",  # the library would add an area code, and ring somebody else
        "+996 003 1212 3456",  # with two zeros, of which the library drops one
        "+49 800 1234560078 90",  # 17 digits: possible in Germany, no E.164
        "",
    ],
)
def test_what_is_not_clear_is_refused(written):
    with pytest.raises(ValueError, match="phone number"):
        to_e164(written)


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("020 7183 8750", "GB", "+442071838750"),
        ("(415) 555-0100", "US", "+14155550100"),
        ("14155550100", "US", "+14155550100"),
        ("011 44 20 7183 8750", "US", "+442071838750"),
        ("0034 911 23 45 67", "GB", "+34911234567"),
        ("+34 911 23 45 67", "GB", "+34911234567"),
    ],
)
def test_a_number_without_its_country_is_read_as_it_is_dialled_there(written, country, number):
    assert to_e164(international(written, country)) == number


def test_every_country_has_its_name_and_how_its_numbers_begin():
    assert countries()["GB"] == "Britain (UK) (+44)"
    assert all(len(name) > len("XX (+1)") for name in countries().values())


@pytest.mark.parametrize(
    ("number", "place"),
    [
        ("+14155550199", Place("US")),
        ("+18765551234", Place("JM")),
        ("+79161234567", Place("RU")),
        ("+77011234567", Place("KZ")),
        ("+441534712345", Place("JE")),
        ("+442079460018", Place("GB")),
        ("+443001234567", Place("GB")),  # a universal access number, at the price of any other
        ("+18005551234", Place("US")),  # the callee pays
        ("+80012345678", Place()),  # the same, of no country
        ("+447700900123", Place()),  # in the plan of none of those that share +44
        ("+3491123456", Place("ES")),  # in no plan, but +34 is Spain's alone
        ("+19005551234", Place("US", "premium_rate")),
        ("+499001123456", Place("DE", "premium_rate")),
        ("+499001123456789", Place("DE", "premium_rate")),  # with digits behind its end
        ("+491801234567", Place("DE", "shared_cost")),
        ("+447012345678", Place("GB", "personal_number")),
        ("+447640123456", Place("GB", "pager")),
        ("+979123456789", Place("", "premium_rate")),
        ("+870773111632", Place("", "network")),
        ("+88213123456", Place("", "network")),
        ("", Place()),  # of somebody who was erased
    ],
)
def test_a_number_tells_where_it_leads(number, place):
    assert place_of(number) == place
