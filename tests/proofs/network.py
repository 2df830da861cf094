"""Webhooks reach nothing but public addresses: what counts is which connections arrived, and where.

Each case is one URL that the product's sender is given, in a network namespace where every address is
local (``stage.namespace``). The corpus has the first, middle and last address of every range that is not
public in every spelling; beyond it, chance spells random addresses of those ranges.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from unittest import SkipTest

from django.conf import settings

from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.stage.namespace import DEAF

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Source: the IANA special-purpose address registries; written down here anew, so that the product's own
# table is no oracle of itself.
NOT_PUBLIC = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4
    240.0.0.0/4

    ::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32
    2001:2::/48 2001:10::/28 2001:20::/28 2001:db8::/32 2002::/16 3fff::/20 5f00::/16 fc00::/7 fe80::/10
    fec0::/10 ff00::/8 4000::/3
"""
OPEN = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 126.255.255.255 172.32.0.0 223.255.255.255
    2606:4700::1111 2a00:1450::1 2001:200::1
"""
RANGES: list[Network] = [ip_network(text) for text in NOT_PUBLIC.split()]
PUBLIC = [ip_address(text) for text in OPEN.split()]
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
CIRCLED = str.maketrans("0123456789", "⓪①②③④⑤⑥⑦⑧⑨")
UNSHARE = ("unshare", "--net", "--mount", "--map-root-user")
DOTS = (".", "\u3002", "\uff0e", "\uff61")


def ends_and_middle(network: Network) -> Iterator[Address]:
    yield from {network[0], network[network.num_addresses // 2], network[-1]}


def spellings_v4(address: IPv4Address) -> Iterator[str]:
    """Every way that some resolver reads as this address."""
    number, parts = int(address), address.packed
    yield str(address)
    yield from (str(number), hex(number), hex(number).upper(), f"0{number:o}", f"0x{number:032x}")
    yield from (f"{parts[0]}.{number & 0xFFFFFF}", f"{parts[0]}.{parts[1]}.{number & 0xFFFF}")
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:03d}" for part in parts)
    yield f"{hex(parts[0])}.0{parts[1]:o}.{number & 0xFFFF}"
    yield from (dot.join(map(str, parts)) for dot in DOTS)
    yield from (str(address).translate(digits) for digits in (FULL_WIDTH, CIRCLED))
    yield from (
        f"{address}.",
        f"{address}..",
        f"{address}%2e",
        f"%{ord(str(address)[0]):x}{str(address)[1:]}",
    )
    yield from (f"[{inside}]" for inside in with_v4_inside(address))


def with_v4_inside(address: IPv4Address) -> Iterator[str]:
    """The IPv6 addresses that some gateway or stack takes for this one."""
    number = int(address)
    high, low = number >> 16, number & 0xFFFF
    yield from (f"::ffff:{address}", f"::ffff:{high:x}:{low:x}", f"::{address}", f"::ffff:0:{address}")
    yield from (f"64:ff9b::{address}", f"64:ff9b:1::{address}", f"2002:{high:x}:{low:x}::")
    yield f"2001:0:4136:e378:8000:63bf:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}"


def spellings_v6(address: IPv6Address) -> Iterator[str]:
    yield f"[{address}]"
    yield f"[{address.exploded}]"
    yield f"[{address}]".upper()
    yield from (f"[{address}%25lo]", f"[{address}%lo]", f"[{address}%251]")
    if address.ipv4_mapped is None:
        yield f"[{IPv6Address(int(address))}]."


def spellings(address: Address) -> list[str]:
    return list(spellings_v4(address) if isinstance(address, IPv4Address) else spellings_v6(address))


def urls_at(host: str) -> Iterator[str]:
    """The host in every place of a URL in which it could be taken for the receiver."""
    yield f"http://{host}/"
    yield f"http://{host}:8080/calls?a=b#c"
    yield f"https://{host}/"
    yield f"http://user:password@{host}/"
    yield f"http://8.8.8.8@{host}/"
    yield f"http://8.8.8.8\\@{host}/"
    yield f"http:\\\\{host}\\"
    yield f"http:/{host}/"
    yield f"http:///{host}/"
    yield f"http://8.8.8.8#@{host}/"
    yield f"//{host}/"


@dataclass
class Plan:
    """What is asked for, and what the names of the namespace's world resolve to."""

    urls: list[str] = field(default_factory=list)
    zone: dict[str, list[list[str]]] = field(default_factory=dict)
    expected: set[str] = field(default_factory=set)  # public addresses that are to be reached

    def ask(self, *urls: str) -> None:
        self.urls += urls

    def name(self, *rounds: list[str]) -> str:
        """A new name; its look-ups give these addresses, one round each."""
        name = f"n{len(self.zone)}.example.com"
        self.zone[name] = list(rounds)
        return name

    def ask_by_name(self, *rounds: list[str], times: int = 1) -> None:
        self.ask(*[f"http://{self.name(*rounds)}/"] * times)


def by_names(plan: Plan, inner: Address) -> None:
    """The address behind names: alone, after public ones, beside some that nobody answers at, in turns."""
    public = str(PUBLIC[0])
    plan.ask_by_name([str(inner)])
    plan.ask_by_name([public], [str(inner)], times=3)
    plan.ask_by_name([str(inner)], [public], [str(inner)], times=3)
    plan.ask_by_name([public, str(inner)])
    plan.ask_by_name([*DEAF, str(inner)])
    plan.ask_by_name([str(inner), *DEAF])


def by_redirect(plan: Plan, host: str) -> None:
    plan.ask(
        f"http://{PUBLIC[0]}/?to=http://{host}/",
        f"http://{plan.name([str(PUBLIC[1])])}/?to=http://{host}:22/",
    )


def corpus() -> Plan:
    """Everything that is known to be tried."""
    plan = Plan()
    for network in RANGES:
        for address in ends_and_middle(network):
            for host in spellings(address):
                plan.ask(f"http://{host}/")
            by_names(plan, address)
        for url in urls_at(spellings(network[-1])[0]):
            plan.ask(url)
        by_redirect(plan, spellings(network[network.num_addresses // 2])[0])
    plan.ask("http://localhost/", "http://localhost./", "http://LOCALHOST:8080/", "http://a.localhost/")
    controls(plan)
    return plan


def controls(plan: Plan) -> None:
    """Public addresses, which must be reached: spelled as usual, by number, and by name."""
    for address in PUBLIC:
        host = f"[{address}]" if address.version == 6 else str(address)
        plan.ask(f"http://{host}/")
        plan.ask_by_name([str(address)])
        plan.expected.add(str(address))
    plan.ask("http://134744072/", "http://0x8.8.8.8/", "http://[::ffff:8.8.8.8]/")


def by_chance(plan: Plan, cases: int, chance: random.Random) -> None:
    """Random addresses of the ranges, spelled at random, in a random place."""
    begun = len(plan.urls)
    while len(plan.urls) < begun + cases:
        network = chance.choice(RANGES)
        inner = network[chance.randrange(network.num_addresses)]
        host = scramble(chance.choice(spellings(inner)), chance)
        match chance.randrange(8):
            case 0:
                by_names(plan, inner)
            case 1:
                by_redirect(plan, host)
            case _:
                plan.ask(chance.choice(list(urls_at(host))))


def scramble(host: str, chance: random.Random) -> str:
    """The same host for whoever reads leniently."""
    for change in chance.sample(CHANGES, k=chance.randrange(3)):
        host = change(host, chance)
    return host


def _any_dot(host: str, chance: random.Random) -> str:
    return "".join(chance.choice(DOTS) if sign == "." else sign for sign in host)


def _any_digit(host: str, chance: random.Random) -> str:
    return "".join(
        chance.choice((sign, sign.translate(FULL_WIDTH), sign.translate(CIRCLED))) for sign in host
    )


def _any_case(host: str, chance: random.Random) -> str:
    return "".join(chance.choice((sign.upper(), sign.lower())) for sign in host)


def _escaped(host: str, chance: random.Random) -> str:
    at = chance.randrange(len(host))
    return f"{host[:at]}%{ord(host[at]):02x}{host[at + 1 :]}" if ord(host[at]) < 128 else host


def _with_noise(host: str, chance: random.Random) -> str:
    at = chance.randrange(len(host) + 1)
    return host[:at] + chance.choice("\t\n\u00ad\u200b\u2060\ufeff\u0000 ") + host[at:]


CHANGES: list[Callable[[str, random.Random], str]] = [_any_dot, _any_digit, _any_case, _escaped, _with_noise]


def is_there() -> bool:
    """Whether namespaces can be made here."""
    try:
        done = subprocess.run([*UNSHARE, "ip", "link", "set", "lo", "up"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def judged(variant: str, trial: Trial) -> Tally:
    """Ask for everything with this variant of the sender, and judge by what arrived.

    Raises:
        SkipTest: this machine gives us no namespace.
    """
    if not is_there():
        raise SkipTest("needs network namespaces: unshare with the right to use it, and ip (iproute2)")
    plan = corpus()
    by_chance(plan, max(0, trial.cases - len(plan.urls)), trial.chance)
    heard, raised = asked_inside(variant, plan, trial.folder)
    tally = Tally(cases=len(plan.urls))
    tally.counts["connections to internal addresses"] = 0
    for address, times in heard.items():
        if not is_inside(address):
            tally.counts["connections to public addresses"] += times
        else:
            tally.counts["connections to internal addresses"] += times
            tally.flag(f"{address} was reached", folder=trial.folder, address=address, times=times)
    if variant == "product":
        flag_all(tally, trial.folder, "a public address was not reached", plan.expected - set(heard))
        flag_all(tally, trial.folder, "the sender raised", raised)
    return tally


def is_inside(address: str) -> bool:
    """Whether this is an address that no webhook may reach."""
    return any(ip_address(address) in network for network in RANGES)


def flag_all(tally: Tally, folder: Path, problem: str, found: Iterable[str]) -> None:
    for one in found:
        tally.flag(f"{problem}: {one}", folder=folder)


def asked_inside(variant: str, plan: Plan, folder: Path) -> tuple[dict[str, int], list[str]]:
    """Where connections arrived and how many, and what the sender raised."""
    plan_path, result_path = folder / "plan.json", folder / "result.json"
    plan_path.write_text(json.dumps({"urls": plan.urls, "zone": plan.zone}))
    command = [
        *UNSHARE,
        sys.executable,
        "-m",
        "tests.proofs.stage.namespace",
        variant,
        plan_path,
        result_path,
    ]
    subprocess.run(command, check=True, cwd=settings.BASE_DIR)
    result = json.loads(result_path.read_text())
    return result["heard"], result["raised"]


def broken(variant: str) -> Callable[[Trial], Tally]:
    return lambda trial: judged(variant, trial)


PROOF = Proof(
    name="network",
    shows="No webhook opens a connection to an address that is not public.",
    unit="URLs",
    small=4_000,
    full=100_000,
    chunk=20_000,
    run=broken("product"),
    databases=("sqlite",),  # it asks no database
    broken={
        name: Broken(run=broken(name), seen_by="was reached")
        for name in ("by_the_text", "by_a_look_before", "with_redirects")
    },
)
