"""Web, clock, worker and gateway together on one machine. ``manage.py dev`` becomes this, without Django."""

import http.client
import ipaddress
import json
import os
import sys
from dataclasses import dataclass
from functools import partial

from temphone.lib import environment as env
from temphone.management import demo
from temphone.management.supervisor import Program, Supervisor, die_with_parent, say

WEB_THREADS = 4
FIRST_CALL = """\
  Schedule a first call; it rings Jordan, one minute from then:

    curl -X POST "{address}/v1/calls/scheduled" \\
      -H "Authorization: Bearer {key}" \\
      -H "Content-Type: application/json" \\
      -d '{{
        "contact_id": "ctc_12kd88",
        "campaign_id": "camp_91ks11",
        "scheduled_at": "'"$({date})"'",
        "initial_message": "Hi {{{{first_name}}}}, this is the TemPhone AI assistant."
      }}'

  and watch it at {address}/
"""


def main() -> int:
    """Run all until Ctrl-C or SIGTERM; the exit code."""
    host, port = env.text("HOST", "127.0.0.1"), env.number("PORT", 8000)
    reached = _reached_at(host)
    address = f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"
    os.environ.setdefault("TEMPHONE_CALLBACK_URL", address)
    # One heap for a process's few threads, where glibc would give each its own.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    if "MAKELEVEL" in os.environ:
        die_with_parent(os.getppid())  # `make run` killed outright leaves nothing either
    say("Starting web, clock, worker and gateway ...")
    web = Web(reached, port)
    supervisor = Supervisor(
        programs(host, port, web),
        trouble=web.trouble,
        on_ready=partial(greet, address, is_private=_ip(host).is_loopback),
    )
    return supervisor.run()


def programs(host: str, port: int, web: "Web") -> list[Program]:
    """The four programs of a small installation."""
    python = sys.executable
    manage = [python, "manage.py"]
    serve = [python, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)]
    serve += ["--workers", "1", "--blocking-threads", str(WEB_THREADS), "--no-ws", "--log-level", "warning"]
    return [
        Program("web", [*serve, "temphone.wsgi:application"]),
        Program("clock", [*manage, "clock", "--skip-checks"]),
        Program("worker", [*manage, "qcluster", "--skip-checks"]),
        # It speaks to web from its first second on.
        Program("gateway", [python, "-m", "temphone.gateway"], may_start=web.answers),
    ]


@dataclass(frozen=True, slots=True)
class Web:
    """The web program, asked how it is."""

    host: str
    port: int

    def answers(self) -> bool:
        """Whether it serves."""
        return self._get("/healthz") is not None

    def trouble(self) -> str:
        """What /readyz says is not well; empty when all is."""
        answer = self._get("/readyz")
        if answer is None:
            return "web does not answer"
        try:
            parts: dict[str, str] = json.loads(answer)
        except ValueError:
            return "web answers with an error"
        return ", ".join(f"{name}: {state}" for name, state in parts.items() if state != "ok")

    def _get(self, path: str) -> bytes | None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()


def greet(address: str, *, is_private: bool) -> None:
    """Say where it is, how to come in, and how to make a first call."""
    say(f"\nTemPhone is ready: {address}/  (Ctrl-C stops it)\n")
    if not env.switch("TEMPHONE_DEMO", default=True):
        say("  Make yourself a login: .venv/bin/python manage.py createsuperuser\n")
        return
    if not is_private:
        say(
            "  Others can reach it, and everybody knows the demo's login and key. TEMPHONE_DEMO=0 has none.\n"
        )
    say(f"  Login:   {' / '.join(demo.LOGIN)}\n  API key: {demo.API_KEY}\n  API:     {address}/v1/docs/\n")
    say(FIRST_CALL.format(address=address, key=demo.API_KEY, date=_date_command()))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address that ``host`` is; a name is ours."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return ipaddress.IPv4Address("127.0.0.1")


def _reached_at(host: str) -> str:
    """Where we reach what listens on ``host``: every address is none to connect to."""
    if not _ip(host).is_unspecified:
        return host
    return "127.0.0.1" if _ip(host).version == 4 else "::1"


def _date_command() -> str:
    """The shell's words for one minute from now, so that the curl works whenever it is pasted."""
    ahead = "-v+1M" if sys.platform == "darwin" else "-d '+1 minute'"
    return f"date -u {ahead} +%Y-%m-%dT%H:%M:%SZ"


if __name__ == "__main__":
    sys.exit(main())
