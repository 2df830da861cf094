"""Codes that an authenticator app shows, a new one every 30 s (TOTP, RFC 6238)."""

from datetime import datetime

TOLERANCE = 1  # codes before and after the present one: phones' clocks differ, and people type slowly
DIGITS = 6


def new_secret() -> str:
    """A new secret, 160 random bits in base 32, as apps take it."""
    import pyotp

    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which half-minute since 1970 the code is of; None where it is of none near ``now``."""
    import pyotp

    try:
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=now, valid_window=TOLERANCE)
    except pyotp.OTPVerificationError:
        return None


def link_of(secret: str, *, name: str, issuer: str) -> str:
    """The ``otpauth://`` link by which an app learns the secret, and under which name it shows it."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def picture_of(link: str) -> str:
    """The link as a QR code: an SVG image in a ``data:`` address."""
    import segno

    return segno.make(link, error="m").svg_data_uri(border=2, dark="#000", light="#fff", scale=8)
