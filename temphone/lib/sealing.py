"""Texts that are kept so that only this installation can read them."""

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

# Imported on use: it costs 11 MB, and only web ever seals.
if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PURPOSE = b"temphone trunk secrets"


class Unreadable(Exception):
    """It was sealed with another secret, or changed since."""


def seal(text: str, *, secret: str) -> str:
    """The text, encrypted (Fernet: AES-CBC and HMAC) with a key that is derived from ``secret``."""
    return _cipher(secret).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, secret: str) -> str:
    """The text that was sealed with this secret.

    Raises:
        Unreadable
    """
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(secret).decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable from None


@lru_cache(maxsize=4)
def _cipher(secret: str) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # Derived, so that the key for this purpose tells nothing of the secret, which also signs sessions.
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
