"""Texts that are kept so that only this installation can read them."""

import base64
from functools import lru_cache
from typing import TYPE_CHECKING

# Imported on use: it costs 11 MB, which only those pay who seal or unseal.
if TYPE_CHECKING:
    from cryptography.fernet import Fernet

PURPOSE = b"temphone trunk secrets"


class Unreadable(Exception):
    """It was sealed with another secret, or changed since."""


def seal(text: str, *, secret: str, purpose: bytes = PURPOSE) -> str:
    """The text, encrypted (Fernet: AES-CBC and HMAC) with a key derived from ``secret`` for this purpose."""
    return _cipher(secret, purpose).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, secret: str, purpose: bytes = PURPOSE) -> str:
    """The text that was sealed with this secret for this purpose.

    Raises:
        Unreadable
    """
    from cryptography.fernet import InvalidToken

    try:
        return _cipher(secret, purpose).decrypt(sealed).decode()
    except InvalidToken:
        raise Unreadable from None


@lru_cache(maxsize=4)
def _cipher(secret: str, purpose: bytes) -> "Fernet":
    from cryptography.fernet import Fernet
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # Derived, so that the key for this purpose tells nothing of the secret, which also signs sessions.
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())
    return Fernet(base64.urlsafe_b64encode(key))
