"""What each member does: the product's own code, in one process each."""

import asyncio
import logging
import os
import socketserver
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection
from django.utils.module_loading import import_string

from temphone.doorbell import ringing
from temphone.gateway.config import Config
from temphone.gateway.gateway import serve
from temphone.gateway.ledger import Ledger
from temphone.gateway.legs import simulated
from temphone.lib.clock import now as utc_now
from temphone.management.commands import clock
from tests.proofs.lab import callees, line
from tests.proofs.lab.plan import Plan
from tests.proofs.lab.trap import calm
from tests.proofs.stage import ear

THREADS = 4  # of web, as granian has them
LINES = 1000
POLL_S = clock.POLL_S
logger = logging.getLogger(__name__)
DELIVER = "temphone.webhooks.tasks.deliver_due"


def note(plan: Plan, trouble: str) -> None:
    """Keep what must never happen where the judgement finds it."""
    file = os.open(Path(plan.folder) / "trouble.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, trouble.encode() + b"\n")
    os.close(file)


# --- web


class Server(WSGIServer):
    """Django's application with a few threads that stay, and so keep their database connections."""

    allow_reuse_port = True  # several webs at one address
    request_queue_size = 128

    def __init__(self, plan: Plan) -> None:
        self.pool = ThreadPoolExecutor(THREADS)
        super().__init__(("127.0.0.1", plan.port), Handler)
        self.set_app(application(plan))

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:
        self.pool.submit(self._serve, request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.finish_request(request, client_address)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever asked was killed
        finally:
            self.shutdown_request(request)


class Handler(WSGIRequestHandler):
    """Quiet."""

    def log_message(self, *_: object) -> None:
        pass


def application(plan: Plan) -> Callable[..., Iterable[bytes]]:
    """Django's, and every server error is noted."""
    django = get_wsgi_application()

    def noting(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            if status.startswith("5"):
                note(plan, f"web answered {status} to {environ['PATH_INFO']}")
            return start_response(status, headers, *rest)

        return django(environ, start)

    return noting


def web(plan: Plan) -> None:
    """Answer requests."""
    Server(plan).serve_forever(poll_interval=60)


# --- gateway


def gateway(plan: Plan) -> None:
    """Carry calls to the laboratory's callees over the simulated network."""
    ear.listen(plan.heard, calm)
    carry(plan)


def gateway_on_a_line(plan: Plan) -> None:
    """Carry calls to them over a line without memory."""
    line.connect(plan.heard)
    carry(plan)


def carry(plan: Plan) -> None:
    """Carry calls for ever."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = Config(
        secret=plan.secret,
        host="127.0.0.1",
        port=0,
        url="",
        callback_url=plan.url,
        lines=LINES,
        ledger=plan.ledger,
        phone_log=plan.phone_log,
        recordings=plan.ledger.with_suffix(".recordings"),
        speed=plan.speed,
        log_level=logging.WARNING,
    )
    simulated.story_for = callees.story_for
    ledger = Ledger(config.ledger)
    ledger._db.execute("PRAGMA synchronous = OFF")  # only a power cut loses what a killed process has written
    asyncio.run(serve(config, ledger))


# --- worker


def worker(plan: Plan) -> None:
    """Run the tasks that the clock's bells ring for; messages in a thread of their own, as workers do."""
    ringing.async_task = lambda task, rung_at: run(plan, task, rung_at)
    bells = clock.bells()
    delivering = [bell for bell in bells if bell.task == DELIVER]
    others = [bell for bell in bells if bell.task != DELIVER]
    threading.Thread(target=ring, args=(plan, delivering), daemon=True).start()
    ring(plan, others)


def ring(plan: Plan, bells: list[clock.Bell | clock.Chime]) -> None:
    """Look for work for ever."""
    while True:
        for bell in bells:
            attempt(plan, bell.task, lambda bell=bell: bell.ring_if_due(utc_now()))
        time.sleep(POLL_S)


def run(plan: Plan, task: str, rung_at: datetime) -> None:
    """What django-q2 does with a task."""
    attempt(plan, task, lambda: import_string(task)(rung_at))


def attempt(plan: Plan, task: str, work: Callable[[], object]) -> None:
    """A task that breaks stops nothing, but should not break."""
    try:
        work()
    except Exception as error:
        logger.exception("%s broke", task)
        note(plan, f"{task} broke: {type(error).__name__}: {error}")
        close_old_connections()


# An "api" is a web that is struck where it answers programs.
ROLES = {"web": web, "api": web, "gateway": gateway, "on a line": gateway_on_a_line, "worker": worker}


def load() -> None:
    """What would otherwise be imported by the members, each anew; opens no database."""
    get_wsgi_application()
    for bell in clock.bells():
        import_string(bell.task)
    assert connection.connection is None
