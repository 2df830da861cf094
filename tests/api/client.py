"""A program that uses the API."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.http import HttpResponse
from django.test import Client

from temphone.lib import clock

Answer = HttpResponse


@dataclass
class Program:
    """Sends JSON with its key, and reads the envelope of every answer."""

    key: str
    in_envelope: bool = True  # False: what it asks for may be a file
    client: Client = field(default_factory=Client)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """One request; ``body`` is bytes as they are, or what becomes JSON."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        if self.key:
            headers.setdefault("Authorization", f"Bearer {self.key}")
        content_type = headers.pop("Content-Type", "")
        answer = self.client.generic(method, f"/v1{path}", data, content_type=content_type, headers=headers)
        if self.in_envelope or not answer.streaming:
            return in_envelope(answer)
        list(answer.streaming_content)  # to its end, which closes the file
        return answer

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object, **headers: str) -> Answer:
        return self.send("PATCH", path, body, **headers)


def in_envelope(answer: Answer) -> Answer:
    """The answer, once it is sure that it is in the envelope."""
    assert answer.headers["Content-Type"] == "application/json"
    body = json.loads(answer.content)
    failed = answer.status_code >= 400
    assert list(body)[:3] == ["status", "message", "data"]
    assert body["status"] == ("error" if failed else "success")
    assert isinstance(body["message"], str)
    assert body["message"]
    assert not failed or isinstance(body["code"], str)
    return answer


def message(answer: Answer) -> str:
    """What the envelope says."""
    return str(json.loads(answer.content)["message"])


def data(answer: Answer) -> dict[str, object]:
    """What the envelope holds."""
    found: dict[str, object] = json.loads(answer.content)["data"]
    return found


def code(answer: Answer) -> str:
    """The refusal's code."""
    return str(json.loads(answer.content)["code"])


def in_an_hour() -> datetime:
    """An instant that is surely still to come, in whole seconds."""
    return clock.now().replace(microsecond=0) + timedelta(hours=1)


def a_body(contact_id: str, **fields: object) -> dict[str, object]:
    """A valid body for scheduling a call."""
    return {
        "contact_id": contact_id,
        "scheduled_at": clock.iso(in_an_hour()),
        "initial_message": "Hi {{first_name}}, this is your AI assistant.",
        **fields,
    }
