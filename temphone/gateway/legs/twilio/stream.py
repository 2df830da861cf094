"""One media WebSocket, from its start to its end."""

import asyncio

import msgspec
from aiohttp import WSMsgType, web

from temphone.gateway.legs.twilio import messages
from temphone.gateway.legs.twilio.ear import Ear
from temphone.gateway.legs.twilio.playout import Playout

OPENING_S = 10.0


async def opening(socket: web.WebSocketResponse) -> messages.Opening | None:
    """Whose stream it is; None when it does not say so, or not soon."""
    try:
        async with asyncio.timeout(OPENING_S):
            async for frame in socket:
                message = _read(frame.type, frame.data)
                if not isinstance(message, messages.Connected):
                    return message.start if isinstance(message, messages.Start) else None
    except TimeoutError:
        pass
    return None


async def carry(socket: web.WebSocketResponse, stream_sid: str, *, ear: Ear, playout: Playout) -> bool:
    """Carry sound both ways until the socket ends; whether Twilio ended it."""
    sender = asyncio.create_task(_send(socket, stream_sid, playout))
    try:
        return await _receive(socket, ear, playout)
    finally:
        sender.cancel()
        await asyncio.gather(sender, return_exceptions=True)


async def _receive(socket: web.WebSocketResponse, ear: Ear, playout: Playout) -> bool:
    async for frame in socket:
        match _read(frame.type, frame.data):
            case messages.Media(media=media) if media.track == "inbound":
                ear.hear(media.payload, media.timestamp)
            case messages.Dtmf(dtmf=dtmf):
                ear.press(dtmf.digit)
            case messages.Mark(mark=mark):
                playout.played(mark.name)
            case messages.Stop():
                return True
        await asyncio.sleep(0)  # a socket that floods us must not keep the others waiting
    return False


async def _send(socket: web.WebSocketResponse, stream_sid: str, playout: Playout) -> None:
    try:
        async for text in playout.messages(stream_sid):
            await socket.send_str(text)
    except ConnectionError:
        return  # the receiving side sees it too


def _read(kind: WSMsgType, data: str) -> messages.Incoming | None:
    """The message, or None for what is no message of Twilio's: it is passed over."""
    if kind is not WSMsgType.TEXT:
        return None
    try:
        return messages.read(data)
    except msgspec.DecodeError:
        return None
