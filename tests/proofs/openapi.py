"""Our OpenAPI document is true: whatever is sent, within it or against it, the answer is one of its own."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from unittest import SkipTest, mock

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as how
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.transport import Response

from contacts import api as contacts_api
from temphone.lib.clock import iso, now
from tests.proofs.battery import Broken, Proof, Tally, Trial
from tests.proofs.stage.people import a_key, people

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
)
AT_ONCE = 50  # cases of one operation before the next has its turn
WITHOUT_KEY = 25  # each so many requests, one comes without a key
VERDICTS = 207  # what is wrong in a batch is refused item by item
KEPT = 50  # ids of each kind, to be used again


class Conversation:
    """Requests and answers; the ids of answers are used in later requests, as the names of fields tell."""

    def __init__(self, trial: Trial, key: str) -> None:
        self.trial = trial
        self.key = key
        self.chance = trial.chance
        self.tally = Tally(counts=Counter(answers_5xx=0))
        self.seen: set[tuple[str, str]] = set()
        self.known: dict[str, list[object]] = {**_meant(), "contact_id": [pk for pk, _ in people(5)]}
        self.checks = [schemathesis.checks.CHECKS.get_one(name) for name in CHECKS]

    def hold(self) -> None:
        """Until there are as many cases as wanted, each operation in turn."""
        schema = schemathesis.openapi.from_wsgi("/v1/schema/", get_wsgi_application())
        operations = [found.ok() for found in schema.get_all_operations()]
        modes = [(operation, mode) for operation in operations for mode in GenerationMode]
        at_once = max(1, min(AT_ONCE, -(-self.trial.cases // len(modes))))
        for turn in count():
            for operation, mode in modes:
                self._try(operation.as_strategy(generation_mode=mode), at_once, self.trial.seed + turn)
                if self.tally.cases >= self.trial.cases:
                    return

    def _try(self, cases, at_once: int, number: int) -> None:
        @seed(number)
        @how(
            max_examples=at_once,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def each(case) -> None:
            self._send(case)

        try:
            each()
        except (Unsatisfiable, SkipTest):
            return  # there is nothing that one could send wrongly

    def _send(self, case) -> None:
        if case.meta is None or case.meta.generation.mode == GenerationMode.POSITIVE:
            self._use_what_is_known(case)
        self.tally.cases += 1
        self.tally.counts["negative"] += case.meta.generation.mode == GenerationMode.NEGATIVE
        keyless = self.tally.cases % WITHOUT_KEY == 0
        response = case.call(headers={} if keyless else {"Authorization": f"Bearer {self.key}"})
        self.tally.counts[f"answers_{response.status_code // 100}xx"] += 1
        self._judge(case, response, keyless=keyless)

    def _use_what_is_known(self, case) -> None:
        """Half of the time: there is such a thing, and the text means what its field wants."""
        body = case.body if isinstance(case.body, dict) else {}
        for where, form in ((case.path_parameters, str), (body, lambda value: value)):
            for name in sorted(set(where or ()) & set(self.known)):
                if self.chance.random() < 0.5:
                    where[name] = form(self.chance.choice(self.known[name]))

    def _judge(self, case, response: Response, *, keyless: bool) -> None:
        try:
            case.validate_response(response, checks=[] if keyless else self._checks_for(case))
        except FailureGroup as group:
            for failure in group.exceptions:
                if not (response.status_code == VERDICTS and isinstance(failure, AcceptedNegativeData)):
                    self._flag(case, response, failure)
        told = _envelope(response)
        if told is None:
            self._flag(case, response, "not in the envelope")
        elif keyless and told.get("code") not in {"unauthorized", "not_found", "method_not_allowed"}:
            self._flag(case, response, "answered without a key")
        elif response.status_code < 300:
            self._keep_ids(told["data"])

    def _checks_for(self, case) -> list[Callable]:
        """A header that was made wrong is no reason to refuse: the key is ours again, others are ignored."""
        header = case.meta.components.get(ParameterLocation.HEADER)
        wrong = header is not None and header.mode == GenerationMode.NEGATIVE
        return [check for check in self.checks if not (wrong and check.__name__ == "negative_data_rejection")]

    def _keep_ids(self, data: object) -> None:
        for name, value in data.items() if isinstance(data, dict) else ():
            if name.endswith("_id"):
                self.known.setdefault(name, []).append(value)
                del self.known[name][:-KEPT]

    def _flag(self, case, response: Response, what: Failure | str) -> None:
        """Each kind of failure once an operation."""
        kind = case.operation.label, what if isinstance(what, str) else f"{type(what).__name__}"
        if kind not in self.seen:
            self.seen.add(kind)
            self.tally.flag(
                f"{case.operation.label}: {kind[1]}, {response.status_code}",
                folder=self.trial.folder,
                failure=str(what),
                request=case.as_curl_command(),
                answer=response.text[:2000],
            )


def _meant() -> dict[str, list[object]]:
    """Values of fields that the document calls a text, and that chance would never hit."""
    return {
        "scheduled_at": [iso(now() + timedelta(days=days)) for days in (1, 100)],
        "timezone": ["America/Los_Angeles", "Asia/Kathmandu"],
        "phone": ["+1-415-555-0100", "+442071838750"],
        "number": ["+14155550101", "+44"],
        "caller_id": ["+1 (415) 555-0199"],
        "webhook_url": ["https://93.184.215.14/calls"],
        "campaign_id": [None],
    }


def _envelope(response: Response) -> dict[str, object] | None:
    """What the answer holds; None: it is not in the envelope."""
    try:
        told = json.loads(response.content)
    except ValueError:
        return None
    whole = isinstance(told, dict) and list(told)[:3] == ["status", "message", "data"]
    right = whole and told["status"] == ("success" if response.status_code < 400 else "error")
    return told if right else None


def run(trial: Trial) -> Tally:
    """A case is a request."""
    load_all_checks()
    conversation = Conversation(trial, a_key())
    conversation.hold()
    return conversation.tally


@contextmanager
def _without_a_zone() -> Iterator[None]:
    shown = contacts_api.contact_data

    def less(contact) -> dict[str, object]:
        return {name: value for name, value in shown(contact).items() if name != "timezone"}

    with mock.patch.object(contacts_api, "contact_data", less):
        yield


@contextmanager
def _with_initials() -> Iterator[None]:
    """Who has no last name has no initial of it either, and breaks the answer."""
    shown = contacts_api.contact_data

    def more(contact) -> dict[str, object]:
        return {**shown(contact), "timezone": contact.timezone if contact.last_name[0] else ""}

    with mock.patch.object(contacts_api, "contact_data", more):
        yield


def _broken(mistake: Callable) -> Callable[[Trial], Tally]:
    def with_mistake(trial: Trial) -> Tally:
        with mistake():
            return run(trial)

    return with_mistake


PROOF = Proof(
    name="openapi",
    shows="the API's document is true: no 5xx, no answer outside it, each in the envelope",
    unit="requests",
    small=300,
    full=50_000,
    chunk=2_500,
    run=run,
    broken={
        "a_field_left_out": Broken(run=_broken(_without_a_zone), seen_by="JsonSchemaError"),
        "an_error_of_ours": Broken(run=_broken(_with_initials), seen_by="ServerError, 500"),
    },
)
