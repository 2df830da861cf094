"""baresip's runtime: one in a process, a thread of its own, and its agents.

Everything here runs in the loop's thread; the stack's events are handed over to it.
"""

import asyncio
import ssl
from collections import defaultdict
from collections.abc import Callable, Coroutine
from ipaddress import IPv4Address, ip_address
from typing import Any, Protocol, TypeVar

from baresip import (
    Account,
    BaresipError,
    Call,
    CommandTimeout,
    Config,
    Event,
    Runtime,
    RuntimeDead,
    StackEvent,
    UserAgent,
)

from temphone.gateway.config import SipSettings
from temphone.gateway.legs.sip import MAX_CALLS
from temphone.gateway.legs.sip.wire import Received, Wire
from temphone.telephony.messages import SipTrunk

T = TypeVar("T")
# An agent is let go of with its runtime alone, so the runtime is changed when it has made so many and has
# no call; of 1,023 handles, calls need some too.
MANY_AGENTS = 200
MOST_AGENTS = 800
ANSWERS_WITHIN_S = 4.0  # in truth within a millisecond; later is never
REGISTER_EVERY_S = 600
SILENT_S = 60  # a callee of whom no packet came for so long is gone
CODECS = ("pcmu", "pcma")
EVERYWHERE = IPv4Address(0)
PORTS = {"udp": 5060, "tcp": 5060, "tls": 5061}


class StackDied(Exception):
    """It does nothing any more, and only a new process can have another."""


async def apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of what the library does.

    In Python 3.11 ``asyncio.wait_for``, in which the library waits, loses a cancellation that comes with
    the result; so what can be cancelled does not wait in it.
    """
    return await asyncio.shield(asyncio.create_task(work))


class Taker(Protocol):
    """A line, to the stack."""

    def take(self, call: Call) -> None:
        """This is its call, from now on."""

    def happened(self, event: StackEvent) -> None:
        """Something happened to its call."""

    def received(self, received: Received) -> None:
        """The peer answered a request of its call."""


class Stack:
    """The runtime. It can be started and closed again and again, but one that died cannot be replaced."""

    def __init__(self, settings: SipSettings, *, died: Callable[[], None]) -> None:
        """``died`` is called when it is to be checked at once."""
        self._settings = settings
        self._died = died
        self._registrars: dict[int, Callable[[StackEvent], None]] = {}
        self._runtime: Runtime | None = None
        self._starting: asyncio.Task[None] | None = None
        self._wire: Wire | None = None
        self._agents: dict[tuple[SipTrunk, str], UserAgent] = {}
        self._made = 0
        self._takers: dict[int, Taker] = {}
        self._by_call_id: dict[str, Taker] = {}
        self._dialing = 0
        self._early: dict[int, list[StackEvent]] = defaultdict(list)
        self._early_received: list[Received] = []
        self._refusals: set[asyncio.Task[None]] = set()

    @property
    def is_up(self) -> bool:
        """Whether it runs."""
        return self._runtime is not None

    @property
    def is_worn(self) -> bool:
        """Whether it should be changed when no call is up."""
        return self._made >= MANY_AGENTS

    async def start(self) -> None:
        """Start it.

        Raises:
            BaresipError: it cannot be.
        """
        self._starting = asyncio.create_task(self._start())
        await asyncio.shield(self._starting)

    async def _start(self) -> None:
        runtime = Runtime(command_timeout=ANSWERS_WITHIN_S)
        runtime.on_dead = self._died
        self._wire = Wire(self._received)
        self._wire.attach()
        try:
            await runtime.start(_config(self._settings))
        except BaseException:
            self._wire.detach()
            raise
        runtime.subscribe(self._happened)
        self._runtime = runtime

    async def close(self) -> None:
        """Stop it, and every agent and call with it."""
        if self._starting:
            await asyncio.wait([self._starting])
        if self._runtime is None:
            return
        runtime, self._runtime = self._runtime, None
        self._agents.clear()
        self._takers.clear()
        self._by_call_id.clear()
        self._registrars.clear()
        self._made = 0
        try:
            await apart(runtime.close())
        except BaresipError:
            return  # dead already
        finally:
            if self._wire:
                self._wire.detach()

    async def check(self) -> None:
        """Return if it answers.

        Raises:
            StackDied: it does not.
        """
        if self._runtime is None:
            return
        try:
            await apart(self._runtime.set_native_log_level("warning"))
        except (CommandTimeout, RuntimeDead) as error:
            raise StackDied(str(error)) from error

    async def registrar(self, trunk: SipTrunk, registered: Callable[[StackEvent], None]) -> UserAgent:
        """An agent that registers at this trunk, when told to; ``registered`` is told of what comes of it.

        Raises:
            BaresipError, ValueError: it cannot be made.
        """
        agent = await self._make(_account(trunk, trunk.user, authority(trunk), every_s=REGISTER_EVERY_S))
        self._registrars[agent._handle] = registered
        return agent

    async def agent(self, trunk: SipTrunk, caller_id: str) -> UserAgent:
        """The agent that calls over this trunk with this number shown.

        Raises:
            BaresipError, ValueError: it cannot be made.
        """
        key = (trunk, caller_id)
        if key not in self._agents:
            if self._made >= MOST_AGENTS:
                raise BaresipError("too many caller IDs")
            self._agents[key] = await self._make(_account(trunk, caller_id, host_of(trunk)))
        return self._agents[key]

    async def unregister(self, agent: UserAgent) -> None:
        """Have it register no more; also one that did not succeed, which would try for ever."""
        self._registrars.pop(agent._handle, None)
        agent._registered = True  # or the call below does nothing
        try:
            await apart(agent.unregister(timeout=1.0))
        except BaresipError:
            return  # the registrar does not answer, or refuses; it forgets us by itself

    async def dial(self, agent: UserAgent, uri: str, headers: dict[str, str], taker: Taker) -> None:
        """Send an INVITE; the taker has the call before anything else happens to it.

        Raises:
            BaresipError: none was sent.
            CommandTimeout, RuntimeDead: perhaps one was.
        """
        await apart(self._dial(agent, uri, headers, taker))

    async def _dial(self, agent: UserAgent, uri: str, headers: dict[str, str], taker: Taker) -> None:
        self._dialing += 1
        try:
            call = await agent.dial(uri, headers)
            self._hand_over(call, taker)
        finally:
            self._dialing -= 1
            if not self._dialing:
                self._early.clear()
                self._early_received.clear()

    def _hand_over(self, call: Call, taker: Taker) -> None:
        self._takers[call.handle] = taker
        taker.take(call)
        # A peer on a fast network answers before the call listens to its own events: it gets them now.
        for event in self._early.pop(call.handle, ()):
            call._on_stack_event(event)
            self._tell(taker, event)
        for received in self._early_received:
            if self._by_call_id.get(received.call_id) is taker:
                taker.received(received)

    def _happened(self, event: StackEvent) -> None:
        if event.event is Event.CALL_INCOMING:
            self._refuse(event)
        elif taker := self._takers.get(event.call):
            self._tell(taker, event)
        elif event.call and self._dialing:
            self._early[event.call].append(event)
        elif event.event in {Event.REGISTER_OK, Event.REGISTER_FAIL} and event.ua in self._registrars:
            self._registrars[event.ua](event)

    def _tell(self, taker: Taker, event: StackEvent) -> None:
        if event.call_id:
            self._by_call_id[event.call_id] = taker
        if event.event is Event.CALL_CLOSED:
            self._takers.pop(event.call, None)
        taker.happened(event)

    def forget(self, taker: Taker) -> None:
        """The taker needs no more to hear of its call's messages."""
        self._by_call_id = {id_: one for id_, one in self._by_call_id.items() if one is not taker}

    def _received(self, received: Received) -> None:
        if taker := self._by_call_id.get(received.call_id):
            taker.received(received)
        elif self._dialing:
            self._early_received.append(received)

    def _refuse(self, event: StackEvent) -> None:
        """Nobody calls us."""
        if self._runtime is not None:
            task = asyncio.ensure_future(_reject(Call._from_incoming(self._runtime, event)))
            self._refusals.add(task)
            task.add_done_callback(self._refusals.discard)

    async def _make(self, account: Account) -> UserAgent:
        if self._runtime is None:
            raise BaresipError("the stack is not up")
        self._made += 1
        return await apart(UserAgent.create(self._runtime, account))


def host_of(trunk: SipTrunk) -> str:
    """The trunk's host as addresses have it."""
    return f"[{trunk.host}]" if ":" in trunk.host else trunk.host


def authority(trunk: SipTrunk) -> str:
    """The trunk's host, and its port where that is not the usual one."""
    host = host_of(trunk)
    return host if trunk.port in {0, PORTS[trunk.transport]} else f"{host}:{trunk.port}"


def flaw(trunk: SipTrunk) -> str:
    """Why this trunk can never be used as it is; empty when it can."""
    try:
        _account(trunk, trunk.user or "user", authority(trunk))
    except ValueError as error:
        return str(error)
    return ""


def uri_of(trunk: SipTrunk, number: str) -> str:
    """Where to call this number."""
    return f"sip:{number}@{authority(trunk)};transport={trunk.transport}"


async def _reject(call: Call) -> None:
    try:
        await call.reject()
    except BaresipError:
        return  # it is gone already


def _account(trunk: SipTrunk, user: str, domain: str, *, every_s: int = 0) -> Account:
    if trunk.transport == "tls" and _is_address(trunk.host):
        # The stack compares a certificate with a name alone: an address would trust whoever has one.
        raise ValueError("over TLS its host must be a name, which the certificate is checked against")
    return Account(
        user=user,
        domain=domain,
        password=trunk.password,
        auth_user=trunk.user or None,
        reg_interval=every_s,
        transport=trunk.transport,
        audio_codecs=CODECS,
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _config(settings: SipSettings) -> Config:
    first, last = settings.rtp_ports
    lines = [f"rtp_ports {first}-{last}", "sip_verify_server yes", "dns_getaddrinfo yes", *_trust(settings)]
    if settings.host or settings.port:
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        lines.append(f"sip_listen {host or EVERYWHERE}:{settings.port}")
    return Config(
        net_interface=settings.host or None,
        max_concurrent_calls=MAX_CALLS,
        rtp_timeout=SILENT_S,
        sip_trace=True,
        native_log_level="warning",
        extra_config_text="\n".join(lines) + "\n",
    )


def _trust(settings: SipSettings) -> list[str]:
    if settings.ca:
        return [f"sip_cafile {settings.ca}"]
    system = ssl.get_default_verify_paths()
    return [f"sip_cafile {system.cafile}"] if system.cafile else [f"sip_capath {system.capath}"]
