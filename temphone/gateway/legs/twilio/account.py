"""One account at Twilio, by its REST API.

Twilio's library makes the requests and reads the answers. What it speaks HTTP with is ours, and small:
its own asynchronous client takes no time-outs, can be told to retry, and logs numbers.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Any

import aiohttp

from temphone.gateway.legs.twilio.progress import News, Status
from temphone.telephony.messages import TwilioTrunk

TWILIO = "https://api.twilio.com"
TIMEOUT = aiohttp.ClientTimeout(total=15.0, sock_connect=5.0)
PAGE = 100
MOST_LISTED = 500
ENVIRONMENT = {"TWILIO_EDGE": ""}  # instead of the process's, where it would find other accounts
TOLD = ("initiated", "ringing", "answered", "completed")


def load_library() -> None:
    """Import what an account needs, which takes a second: better now than when calls are up."""
    from twilio.request_validator import RequestValidator
    from twilio.rest import Client
    from twilio.twiml.voice_response import VoiceResponse

    RequestValidator("")
    VoiceResponse()
    Client("AC", "x", http_client=Http, environment=ENVIRONMENT).api.v2010.accounts("AC").calls("CA")


class Unreached(Exception):
    """Surely nothing was asked of Twilio."""


class Declined(Exception):
    """Twilio surely did not do it. ``code`` is its own, or the HTTP status where it gave none."""

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"HTTP {status}, {code}")
        self.status = status
        self.code = code


class Uncertain(Exception):
    """Perhaps done, perhaps not."""


class Account:
    """An account as a trunk names it. The library must be installed."""

    def __init__(self, trunk: TwilioTrunk, session: aiohttp.ClientSession) -> None:
        from twilio.request_validator import RequestValidator
        from twilio.rest import Client

        self.trunk = trunk
        self.sid = trunk.account_sid
        self._validator = RequestValidator(trunk.auth_token)
        client = Client(
            trunk.account_sid,
            trunk.auth_token,
            http_client=Http(session, trunk.api_url),
            environment=ENVIRONMENT,
        )
        self._account: Any = client.api.v2010.accounts(trunk.account_sid)

    def has_signed(self, url: str, parameters: Mapping[str, object], signature: str) -> bool:
        """Whether this request to us is this account's."""
        return bool(self._validator.validate(url, parameters, signature))

    async def check(self) -> str:
        """Twilio's word for how the account is, ``active`` when all is well; raises as ``create``."""
        account = await _answer(self._account.fetch_async())
        return str(account.status)

    async def create(
        self, *, to: str, caller_id: str, twiml: str, ring_timeout_s: int, time_limit_s: int, told_at: str
    ) -> News:
        """Ring ``to``. Asked once: it is not idempotent.

        Raises:
            Unreached, Declined: it surely does not ring.
            Uncertain: perhaps it does.
        """
        call = await _answer(
            self._account.calls.create_async(
                to=to,
                from_=caller_id,
                twiml=twiml,
                timeout=ring_timeout_s,
                time_limit=time_limit_s,
                status_callback=told_at,
                status_callback_event=list(TOLD),
                status_callback_method="POST",
            )
        )
        return _news(call)

    async def end(self, sid: str, status: Status) -> News:
        """Have it canceled (before the answer) or completed; raises as ``create``. Idempotent."""
        return _news(await _answer(self._account.calls(sid).update_async(status=status.value)))

    async def redirect(self, sid: str, twiml: str, *, time_limit_s: int) -> None:
        """Have the call do something else from now on; raises as ``create``."""
        await _answer(self._account.calls(sid).update_async(twiml=twiml, time_limit=time_limit_s))

    async def look(self, sid: str) -> News:
        """How it is; raises as ``create``."""
        return _news(await _answer(self._account.calls(sid).fetch_async()))

    async def find(self, *, to: str, caller_id: str) -> Sequence[News]:
        """The last calls between these numbers; raises as ``create``.

        Not by start time: a call that waits in Twilio's queue has none yet.
        """
        calls = await _answer(
            self._account.calls.list_async(to=to, from_=caller_id, limit=MOST_LISTED, page_size=PAGE)
        )
        return [_news(call) for call in calls]


class Http:
    """What the library speaks HTTP with: time-outs, no retry, no redirect, nothing of it in a log."""

    is_async = True

    def __init__(self, session: aiohttp.ClientSession, api_url: str) -> None:
        self._session = session
        self._api_url = api_url.rstrip("/")

    async def request(  # the library's own signature
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        **_: object,
    ) -> Any:
        """The answer, in the library's form."""
        from twilio.http.response import Response

        async with self._session.request(
            method,
            self._api_url + url.removeprefix(TWILIO),
            params=params,
            data=data,
            headers={**(headers or {}), **_authorization(auth)},
            timeout=TIMEOUT,
            allow_redirects=False,
        ) as response:
            return Response(response.status, await response.text(), response.headers)


def _authorization(auth: tuple[str, str] | None) -> dict[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}


async def _answer(asked: Awaitable[Any]) -> Any:
    from twilio.base.exceptions import TwilioException

    try:
        return await asked
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise Unreached(type(error).__name__) from error
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise Uncertain(type(error).__name__) from error
    except TwilioException as error:
        raise _refusal(error) from error


def _refusal(error: Any) -> Exception:
    status = getattr(error, "status", 0)
    # 408 is a proxy's, which gave up waiting: what was sent may have arrived.
    if 400 <= status < 500 and status != 408:
        return Declined(status, getattr(error, "code", None) or status)
    return Uncertain(f"HTTP {status}")


def _news(call: Any) -> News:
    try:
        status = Status(call.status)
    except ValueError:
        status = Status.QUEUED  # a word of tomorrow's
    return News(
        sid=call.sid or "",
        status=status,
        duration_s=int(call.duration or 0),
        created_at=call.date_created,
    )
