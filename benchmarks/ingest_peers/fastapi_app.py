"""FastAPI with asyncpg: a cached key, one SELECT that locks and one INSERT of all four rows a request.

Nothing here uses Django's ORM; Django is set up for our pure functions alone.
"""

import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

import asyncpg
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from benchmarks.ingest_peers.asked import Asked, answer
from benchmarks.ingest_peers.facts import judge
from benchmarks.ingest_peers.statements import KEY, LOOK, TAKE, errand, values, write
from temphone.accounts.authentication import BEARER
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import DomainError

KEPT_S = 5.0
POOL = 16
PART = 1_000  # requests that are counted at once
WRITE = write()


@dataclass(slots=True)
class Keys:
    """Keys as last read, for five seconds; and the requests granted to each in this minute."""

    pool: asyncpg.Pool
    known: dict[str, tuple[float, asyncpg.Record]] = field(default_factory=dict)
    left: Counter[tuple[int, datetime]] = field(default_factory=Counter)

    async def find(self, given: str) -> asyncpg.Record:
        """The key that the header shows.

        Raises:
            HTTPException: there is no such, or it made too many requests.
        """
        shown = BEARER.fullmatch(given.strip())
        if not shown:
            raise HTTPException(401)
        until, key = self.known.get(shown["public_id"], (0.0, None))
        if time.monotonic() >= until:
            key = await self.pool.fetchrow(KEY, shown["public_id"])
            self.known[shown["public_id"]] = (time.monotonic() + KEPT_S, key)
        if key is None or key["hash"] != hashlib.sha256(shown[1].encode()).hexdigest():
            raise HTTPException(401)
        await self._count(key["id"])
        return key

    async def _count(self, key_id: int) -> None:
        place = key_id, utc_now().replace(second=0, microsecond=0)
        if not self.left[place]:
            await self.pool.fetchval(TAKE, *place, PART)
            self.left[place] += PART
        self.left[place] -= 1


async def _own_types(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")


@asynccontextmanager
async def _with_pool(serving: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=POOL, max_size=POOL, init=_own_types) as pool:
        serving.state.pool, serving.state.keys = pool, Keys(pool)
        yield


app = FastAPI(lifespan=_with_pool, openapi_url=None)


@app.exception_handler(DomainError)
async def _refused(_: Request, error: DomainError) -> JSONResponse:
    content = {"status": "error", "message": error.message, "data": None, "code": error.code}
    return JSONResponse(content, status_code=error.http_status)


@app.exception_handler(RequestValidationError)
async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    content = {"status": "error", "message": str(error.errors()[0]["msg"]), "data": None}
    return JSONResponse(content, status_code=400)


@app.post("/v1/calls/scheduled")
async def schedule(asked: Asked, request: Request) -> JSONResponse:
    state, now = request.app.state, utc_now()
    key = await state.keys.find(request.headers.get("Authorization", ""))
    async with state.pool.acquire() as connection, connection.transaction():
        found = await connection.fetch(LOOK, asked.contact_id, asked.campaign_id, now)
        plan = judge(asked, errand(found), now=now)
        await connection.execute(WRITE, *values(asked, plan, key, now))
    content = answer(
        asked, call_id=plan.call_id, when=plan.when, zone_name=plan.zone_name, due=plan.due, now=now
    )
    return JSONResponse(content, status_code=201)
