import pytest

from temphone.telephony.signing import sign


@pytest.fixture
def post(client, settings):
    client.raise_request_exception = False

    def post(path, body, *, signed=None, secret=settings.GATEWAY_SECRET, at=None, drop="", **changed):
        headers = sign(b"" if signed is None else signed, secret=secret, at=at) if signed is not None else {}
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        headers.pop(drop, None)
        content_type = headers.pop("content-type", "application/json")
        return client.post(path, body, content_type=content_type, headers=headers).status_code

    return post
