"""What Twilio reaches of the gateway: two addresses, on a listener of their own."""

from collections.abc import Mapping

from aiohttp import web

from temphone.gateway.legs.twilio.network import TwilioNetwork
from temphone.gateway.legs.twilio.progress import News, Status

SIGNATURE = "X-Twilio-Signature"
LARGEST = 64 * 1024
FORM = "application/x-www-form-urlencoded"
PING_S = 20.0


def application(network: TwilioNetwork) -> web.Application:
    """The web application. 403: not signed by an account of ours."""
    doors = Doors(network)
    app = web.Application(client_max_size=LARGEST)
    app.router.add_post("/twilio/status", doors.status)
    app.router.add_get("/twilio/media", doors.media)
    return app


class Doors:
    """Both check the signature before anything else."""

    def __init__(self, network: TwilioNetwork) -> None:
        self._network = network

    async def status(self, request: web.Request) -> web.Response:
        """How a call goes. The signature covers the attempt in the query, and everything in the form."""
        if request.content_type != FORM:
            raise web.HTTPForbidden
        form = await request.post()
        url = f"{self._network.public_url}{request.raw_path}"
        signature = request.headers.get(SIGNATURE, "")
        signers = self._network.signers(lambda account: account.has_signed(url, form, signature))
        account_sid = str(form.get("AccountSid", ""))
        if account_sid not in signers:
            raise web.HTTPForbidden
        if news := _news(form):
            self._network.told(request.query.get("attempt", ""), account_sid, news)
        return web.Response(status=204)

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        """The sound of a call."""
        url = self._network.stream_url()
        signature = request.headers.get(SIGNATURE, "")
        # Some of Twilio's streams sign the address with a slash at its end.
        signers = self._network.signers(
            lambda account: (
                account.has_signed(url, {}, signature) or account.has_signed(f"{url}/", {}, signature)
            )
        )
        if not signers:
            raise web.HTTPForbidden
        socket = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=LARGEST)
        await socket.prepare(request)
        await self._network.carry(socket, signers)
        await socket.close()
        return socket


def _news(form: Mapping[str, object]) -> News | None:
    """What it says; None when it is no status of a call."""
    try:
        return News(
            sid=str(form["CallSid"]),
            status=Status(str(form["CallStatus"])),
            duration_s=int(str(form.get("CallDuration", "0"))),
            sip_code=str(form.get("SipResponseCode", "")),
        )
    except (KeyError, ValueError):
        return None


async def listen(network: TwilioNetwork, host: str, port: int) -> web.AppRunner:
    """Open the doors.

    Raises:
        OSError: it cannot listen there.
    """
    runner = web.AppRunner(application(network), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
