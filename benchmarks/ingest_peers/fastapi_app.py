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
from typing import Any

import asyncpg
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from benchmarks.ingest_peers.asked import Asked, answer
from benchmarks.ingest_peers.facts import Agreement, Errand, Person, Plan, Programme, Switch, judge
from temphone.accounts.authentication import BEARER
from temphone.lib.clock import now as utc_now
from temphone.lib.errors import DomainError

KEPT_S = 5.0
POOL = 16
PART = 1_000  # requests that are counted at once

KEY = (
    "SELECT id, hash, mode, name, public_id FROM accounts_apikey WHERE public_id = $1 AND revoked_at IS NULL"
)
TAKE = """
    INSERT INTO accounts_keyminute (key_id, minute, requests) VALUES ($1, $2, $3)
    ON CONFLICT (key_id, minute) DO UPDATE SET requests = accounts_keyminute.requests + excluded.requests
    RETURNING requests
"""
# One row per consent in force, the newest first; the contact is locked against erasing.
LOOK = """
    SELECT c.id, c.first_name, c.last_name, c.phone, c.timezone, c.language, c.company, c.attributes,
        p.id AS campaign, p.name AS campaign_name, p.status, p.mode, p.purpose AS campaign_purpose,
        s."on" AS stopped, s.changed_by, k.purpose, k.kind, k.captured_at,
        EXISTS (SELECT 1 FROM contacts_suppression WHERE number = c.phone AND lifted_at IS NULL)
        OR EXISTS (
            SELECT 1 FROM contacts_suppression WHERE is_prefix AND lifted_at IS NULL
            AND c.phone LIKE number || '%'
        ) AS listed
    FROM contacts_contact c
    LEFT JOIN campaigns_campaign p ON p.id = $2
    LEFT JOIN calls_stopswitch s ON s.id = 1
    LEFT JOIN contacts_consent k ON k.contact_id = c.id AND k.captured_at <= $3 AND k.revoked_at IS NULL
    WHERE c.id = $1 AND c.erased_at IS NULL
    ORDER BY k.captured_at DESC, k.id DESC
    FOR SHARE OF c
"""
# One statement, so one message: the foreign keys are looked at when the transaction ends.
WRITE = """
    WITH call AS (
        INSERT INTO calls_call (
            id, contact_id, campaign_id, mode, status, version, scheduled_at, due_at, timezone,
            initial_message, max_duration_s, max_attempts, caller_id, metadata, recording_enabled,
            webhook_url, events_sent, created_by_key_id, created_at, updated_at
        ) VALUES (
            $1, $2, $3, 'test', 'scheduled', 1, $4, $5, $6, $7, $8, 3, $9, $10, $11, $12, 0, $13, $14, $14
        )
    ), decision AS (
        INSERT INTO calls_decision (call_id, stage, verdict, rule, checks, at)
        VALUES ($1, 'creation', $15, $16, $17, $14)
    ), event AS (
        INSERT INTO calls_callevent (call_id, name, from_status, to_status, reason, data, at)
        VALUES ($1, 'scheduled', '', 'scheduled', '', '{}', $14)
    )
    INSERT INTO accounts_auditentry (at, actor_kind, actor_id, actor_label, action, target, details)
    VALUES ($14, 'key', $18, $19, 'call.schedule', $1, '{}')
"""


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
        plan = judge(asked, _errand(found), now=now)
        await connection.execute(WRITE, *_values(asked, plan, key, now))
    content = answer(
        asked, call_id=plan.call_id, when=plan.when, zone_name=plan.zone_name, due=plan.due, now=now
    )
    return JSONResponse(content, status_code=201)


def _errand(found: list[asyncpg.Record]) -> Errand:
    """Whom and what the request names.

    Raises:
        HTTPException: there is no such contact or campaign, or the number is suppressed.
    """
    if not found:
        raise HTTPException(404)
    first = found[0]
    if first["listed"]:
        raise HTTPException(422)
    names = ("id", "first_name", "last_name", "phone", "timezone", "language", "company", "attributes")
    campaign = first["campaign"] and Programme(
        pk=first["campaign"],
        name=first["campaign_name"],
        status=first["status"],
        mode=first["mode"],
        purpose=first["campaign_purpose"],
    )
    consents = [
        Agreement(purpose=row["purpose"], kind=row["kind"], captured_at=row["captured_at"])
        for row in found
        if row["kind"]
    ]
    switch = Switch(on=bool(first["stopped"]), changed_by=first["changed_by"] or "")
    return Errand(
        person=Person(**{name: first[name] for name in names}),
        campaign=campaign,
        consents=consents,
        switch=switch,
    )


def _values(asked: Asked, plan: Plan, key: asyncpg.Record, now: datetime) -> list[Any]:
    return [
        plan.call_id, asked.contact_id, asked.campaign_id, plan.when, plan.due, plan.zone_name,
        asked.initial_message, asked.max_duration_seconds, asked.caller_id or "", asked.metadata,
        asked.recording_enabled, asked.webhook_url or "", key["id"], now,
        plan.decision["verdict"], plan.decision["rule"], plan.decision["checks"],
        key["public_id"], key["name"],
    ]  # fmt: skip
