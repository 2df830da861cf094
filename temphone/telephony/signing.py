"""Signatures between Django and the gateway, by the scheme of Standard Webhooks.

Headers ``webhook-id``, ``webhook-timestamp`` (Unix seconds) and ``webhook-signature``
(``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``). A body names its own kind, so it
means nothing at another address; a repeated body is harmless, since every message is idempotent.
"""

import base64
import os
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

CONTENT_TYPE = "application/json"


class BadSignature(Exception):
    """Not signed with our secret, or more than five minutes off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """A request as it came in: its headers (any case) and the body's bytes."""

    headers: Mapping[str, str]
    body: bytes


def new_secret() -> str:
    """A fresh secret: ``whsec_`` and the base64 of 32 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_in(path: Path) -> str:
    """The secret kept in this file; the first to ask makes it (mode 0600).

    Raises:
        OSError: the file can be neither read nor made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and linked into place: of two processes that start at once, one wins and the
    # other reads the winner's whole secret, never half of it.
    draft = path.with_name(f"{path.name}.{os.getpid()}.{uuid.uuid4().hex}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(new_secret(), encoding="ascii")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="ascii").strip()


def sign(
    body: bytes, *, secret: str, message_id: str | None = None, at: datetime | None = None
) -> dict[str, str]:
    """The headers that go with ``body``. ``secret`` is ``whsec_`` and base64."""
    message_id = message_id or f"msg_{uuid.uuid4().hex}"
    at = at or datetime.now(UTC)
    return {
        "content-type": CONTENT_TYPE,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, at, body.decode()),
    }


def verify(request: SignedRequest, *, secret: str) -> None:
    """Return if the request carries our signature, made within five minutes.

    Raises:
        BadSignature: it does not.
    """
    try:
        Webhook(secret).verify(request.body, dict(request.headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise BadSignature(str(error)) from error
