"""What people write as a phone number."""

import pytest

from temphone.lib.phone import to_e164


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
