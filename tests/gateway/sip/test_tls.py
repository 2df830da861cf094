"""Trunks over TLS: only those whose certificate can be checked."""

import asyncio
import ssl

import pytest

from temphone.telephony.messages import Outcome
from tests.gateway.fake_django import until
from tests.gateway.sip.calling import Ear, Remembers, answered, failure, request, sip, trunk
from tests.gateway.sip.certificates import make_certificates
from tests.gateway.sip.sounds import ALIKE, found, speech
from tests.gateway.sip.uas import Manners, Uas

pytestmark = pytest.mark.sip
TLS = {"transport": "tls", "host": "localhost"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


def server(folder, name="here"):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def test_a_trunk_whose_certificate_is_in_order_is_called(certificates):
    said = speech(1)

    async def test():
        async with (
            Uas(Manners(says=said), tls=server(certificates)) as peer,
            sip(trunk(peer.port, **TLS), ca=certificates / "ca.pem") as network,
        ):
            line = await answered(network)
            ear = Ear(line)
            await asyncio.sleep(1.5)
            line.hang_up()
            await ear.over()
            await until(lambda: peer.count("BYE") == 1)
            assert "TLS" in peer.requests[0].headers["via"]
            return ear.sound

    assert found(asyncio.run(test()), said) > ALIKE


@pytest.mark.parametrize(
    ("authority", "name"), [("other", "here"), ("ca", "elsewhere"), (None, "here")], ids=str
)
def test_a_trunk_whose_certificate_is_not_is_never_told_the_number(certificates, authority, name):
    """Another authority's, another host's, or one that the system does not know."""

    async def test():
        async with (
            Uas(tls=server(certificates, name)) as peer,
            sip(
                trunk(peer.port, **TLS), ca=certificates / f"{authority}.pem" if authority else None
            ) as network,
        ):
            told = await failure(network.line(request(), Remembers()))
            assert not peer.requests
            return told, network.state("trunk_1")

    told, state = asyncio.run(test())
    assert (told.outcome, told.rang) == (Outcome.CARRIER_ERROR, False)
    assert "certificate" in told.cause
    assert (state.ready, state.problem) == (False, told.cause)


def test_a_trunk_over_tls_must_have_a_name():
    """Of an address the stack would not check that the certificate is for it."""

    async def test():
        async with Uas() as peer, sip(trunk(peer.port, transport="tls")) as network:
            assert "must be a name" in network.state("trunk_1").problem
            told = await failure(network.line(request(), Remembers()))
            assert "must be a name" in told.cause
            assert not peer.requests

    asyncio.run(test())
