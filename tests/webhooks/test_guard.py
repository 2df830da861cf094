import asyncio
import socket
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from temphone.lib.clock import now
from temphone.webhooks import guard
from temphone.webhooks.sender import Answer, Message, send
from tests.webhooks.receiver import Receiver

PRIVATE = [
    "0.0.0." + "0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0:8.8.8.8",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "ffff::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_it_denies_what_is_not_public(address):
    assert not guard.is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_it_lets_public_addresses_through(address):
    assert guard.is_public(ip_address(address))


REFUSED = [
    "",
    "hooks.example.com",
    "//hooks.example.com/calls",
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://hooks.example.com/",
    "javascript:alert(1)",
    "http://",
    "http:///calls",
    "http:hooks.example.com",
    "https://user:password@hooks.example.com/",
    "https://user@hooks.example.com/",
    "https://127.0.0.1:80@hooks.example.com/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/",
    "https://hooks.example.com:port/",
    "https://hooks example.com/",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/a\nb",
    "https://hooks.example.com/\x00",
    "https://hooks.example.com/" + "a" * 2048,
    "https://" + "a" * 64 + ".com/",
    "https://" + ".".join(["a" * 50] * 6) + "/",
    "https://-hooks.example.com/",
    "https://hooks..example.com/",
    "https://./",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks%2eexample.com/",
    "https://[1.2.3.4]/",
    "https://[::1",
    "http://localhost/",
    "http://LOCALHOST:8000/",
    "http://localhost./",
    "http://localhost\u3002/",
    "http://hooks.localhost/",
    "http://127.0.0.1/",
    "http://127.0.0.1./",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://0X7F.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://0/",
    "http://0xffffffff/",
    "http://4294967296/",
    "http://256.1.1.1/",
    "http://08.8.8.8/",
    "http://1.2.3.4.5/",
    "http://hooks.example.1/",
    "http://127%2e0.0.1/",
    "http://%31%32%37.0.0.1/",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://127\uff0e0\uff0e0\uff0e1/",
    "http://10.0.0.1/",
    "http://0xa.0.0.1/",
    "http://192.168.1.1:8080/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://100.64.0.1/",
    "http://[::1]/",
    "http://[::]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001::1]/",
    "http://[fd00::1]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
]


@pytest.mark.parametrize("url", REFUSED)
def test_it_refuses_what_can_never_be_a_public_receiver(url):
    with pytest.raises(ValueError, match=r"."):
        guard.check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://webhooks.yourapp.com/ai-calls",
        "HTTPS://Webhooks.YourApp.com:8443/ai-calls?token=a%20b&mail=a@b.com#part",
        "http://hooks.example.com:1/",
        "http://intranet/calls",
        "http://my_hooks.example.com./",
        "http://xn--mnchen-3ya.de/",
        "http://m\u00fcnchen.de/\u00e9",
        "http://8.8.8.8/",
        "http://134744072/",
        "http://0x8.8.8.8/",
        "http://[2606:4700::1111]:8443/",
        "https://hooks.example.com/" + "a" * 2022,
    ],
)
def test_it_takes_names_and_public_addresses(url):
    guard.check_url(url)


def test_it_takes_exactly_the_host_and_port_that_the_setting_allows(settings):
    settings.WEBHOOK_ALLOW = ["127.0.0.1:9000", "localhost:80", "[fd00::1]:443"]
    for url in ("http://127.0.0.1:9000/calls", "http://LOCALHOST/", "https://[fd00::1]/"):
        guard.check_url(url)
    for url in ("http://127.0.0.1/", "http://127.1:9000/", "https://localhost/", "http://[fd00::1]/"):
        with pytest.raises(ValueError, match="not a public host"):
            guard.check_url(url)


def test_it_asks_a_literal_address_by_its_usual_spelling():
    assert str(guard.canonical("http://134744072:81/a?b=c")) == "http://8.8.8.8:81/a?b=c"


@pytest.mark.parametrize("text", ["https://8.8.8.8\0.example.com/", "https://a b/", "https://a\n/"])
def test_a_host_with_what_no_host_has_is_never_asked(text):
    """A resolver reads up to a NUL, and TLS would refuse the name by a TypeError."""
    with pytest.raises(ValueError, match="control characters"):
        guard.canonical(text)


def sent_to(url: str) -> Answer:
    message = Message(id="msg_1", url=url, body="{}")
    return asyncio.run(send(message, secrets=["whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"], at=now()))


def resolves_to(monkeypatch, *answers: str) -> None:
    """Each look-up gives the next of the answers, the last for ever."""
    left = list(answers)

    def getaddrinfo(host, port, *_args, **_kwargs):
        address = left.pop(0) if len(left) > 1 else left[0]
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        tail = (0, 0) if ":" in address else ()
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *tail))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def unreachable_internet(monkeypatch) -> list[str]:
    """The addresses that anything tries to connect to; loopback is reached, all else fails."""
    tried: list[str] = []
    connect = asyncio.selector_events.BaseSelectorEventLoop.sock_connect

    async def sock_connect(loop, sock, address):
        tried.append(address[0])
        if not address[0].startswith("127."):
            raise ConnectionRefusedError(111, "no network here")
        return await connect(loop, sock, address)

    monkeypatch.setattr(asyncio.selector_events.BaseSelectorEventLoop, "sock_connect", sock_connect)
    return tried


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "127.0.0.1.", "①②⑦.⓪.⓪.①"])
def test_nothing_reaches_loopback_however_it_is_spelled(receiver, host):
    answer = sent_to(f"http://{host}:{receiver.server_port}/calls")
    assert "127.0.0.1 is not a public address" in answer.error
    assert receiver.connections == 0


def test_nothing_reaches_loopback_by_a_name(receiver):
    answer = sent_to(f"http://localhost:{receiver.server_port}/calls")
    assert "is not a public address" in answer.error
    assert receiver.connections == 0


def test_a_name_that_changes_its_address_reaches_nothing_private(receiver, monkeypatch):
    tried = unreachable_internet(monkeypatch)
    resolves_to(monkeypatch, "8.8.8.8", "127.0.0.1")
    url = f"http://rebind.example.com:{receiver.server_port}/calls"
    answers = [sent_to(url), sent_to(url)]
    assert tried == ["8.8.8.8"]
    assert "127.0.0.1 is not a public address" in answers[1].error
    assert receiver.connections == 0


@pytest.mark.parametrize("address", [address for address in PRIVATE if "%" not in address])
def test_no_connection_is_begun_to_a_private_address(monkeypatch, address):
    tried = unreachable_internet(monkeypatch)
    resolves_to(monkeypatch, address)
    assert "is not a public address" in sent_to("http://hooks.example.com/").error
    assert tried == []


def test_without_the_guard_this_test_would_see_a_connection(receiver, monkeypatch):
    monkeypatch.setattr(guard, "socket_factory", lambda _url: None)
    resolves_to(monkeypatch, "127.0.0.1")
    assert sent_to(f"http://rebind.example.com:{receiver.server_port}/calls").is_success
    assert receiver.connections == 1


def test_what_the_setting_allows_is_reached(allowed):
    assert sent_to(allowed.url()).is_success
    assert allowed.connections == 1


def test_what_is_allowed_by_name_is_not_allowed_by_another_name(receiver: Receiver, settings, monkeypatch):
    settings.WEBHOOK_ALLOW = [f"hooks.internal:{receiver.server_port}"]
    resolves_to(monkeypatch, "127.0.0.1")
    assert sent_to(f"http://hooks.internal:{receiver.server_port}/").is_success
    assert not sent_to(f"http://other.internal:{receiver.server_port}/").is_success
    assert not sent_to(receiver.url()).is_success
    assert receiver.connections == 1


def test_it_ignores_proxies_of_the_environment(receiver, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, receiver.url(""))
    tried = unreachable_internet(monkeypatch)
    resolves_to(monkeypatch, "8.8.8.8")
    sent_to("http://hooks.example.com/")
    assert tried == ["8.8.8.8"]


NUMBERS = st.one_of(
    st.integers(0, 2**32).map(str),
    st.integers(0, 2**32).map(hex),
    st.integers(0, 2**32).map("0{:o}".format),
    st.integers(0, 300).map(str),
    st.integers(0, 2**128 - 1).map(lambda number: f"[{IPv6Address(number)}]"),
    st.integers(0, 2**32 - 1).map(lambda number: f"[::ffff:{IPv4Address(number)}]"),
)
DOTS = st.sampled_from([".", "\u3002", "\uff0e", "\uff61"])


@given(st.lists(NUMBERS, min_size=1, max_size=4), DOTS, st.sampled_from(["", ".", ":80", "/", "?@", "#"]))
def test_whatever_numbers_a_host_is_made_of_only_public_ones_pass(numbers, dot, end):
    url = f"http://{dot.join(numbers)}{end}"
    try:
        guard.check_url(url)
    except ValueError:
        return
    (_family, _kind, _protocol, _name, address), *_ = socket.getaddrinfo(
        URL(url).raw_host.rstrip("."), 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
    )
    reached = ip_address(address[0])
    assert (getattr(reached, "ipv4_mapped", None) or reached).is_global


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text):
    for url in (text, f"http://{text}", f"https://{text}/calls"):
        with suppress(ValueError):
            guard.check_url(url)
