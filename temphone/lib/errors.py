"""The errors that rules raise; a door turns each into its own kind of answer."""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """A rule said no.

    ``message`` is a sentence for a person, with the mend. ``code`` is for programs and listed in
    ``docs/api.md``. ``fields`` names what was wrong, per field. ``http_status`` is what the API answers.
    """

    code = "error"
    http_status = 400
    headers: Mapping[str, str] = {}  # that go with the answer

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        fields: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.fields = dict(fields or {})


class Invalid(DomainError):
    """What was asked for has the wrong shape or value."""

    code = "invalid"
    http_status = 400

    @classmethod
    def field(cls, name: str, problem: str) -> "Invalid":
        """Name the field as the specification does: ``Field 'x' must ...``."""
        message = f"Field '{name}' {problem}"
        return cls(message, fields={name: [message]})


class Forbidden(DomainError):
    """The role of whoever asks does not allow it."""

    code = "forbidden"
    http_status = 403


class NotFound(DomainError):
    """There is no such thing, or not for whoever asks."""

    code = "not_found"
    http_status = 404


class Conflict(DomainError):
    """The thing is no longer in the state in which this may be done."""

    code = "conflict"
    http_status = 409


class Refused(DomainError):
    """The request is well formed; policy does not allow it."""

    code = "refused"
    http_status = 422


class PreconditionFailed(DomainError):
    """A header of the request makes a condition that does not hold."""

    code = "precondition_failed"
    http_status = 412


class RangeNotSatisfiable(DomainError):
    """Nothing of the range that was asked for is in the file."""

    code = "range_not_satisfiable"
    http_status = 416

    def __init__(self, size: int) -> None:
        """``size`` is how many bytes the file has."""
        super().__init__(f"The range lies outside of the {size} bytes that there are.")
        self.headers = {"Content-Range": f"bytes */{size}"}


class Unavailable(DomainError):
    """It cannot be done now; the same may work later."""

    code = "unavailable"
    http_status = 503
