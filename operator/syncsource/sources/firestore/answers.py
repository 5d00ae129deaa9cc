"""What a query answers with: an array of documents, in which an error may stand as well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from syncsource.errors import PermanentError, RetryableError
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.dates import parse_http_date

_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_CODES = range(100, 600)
_SECONDS = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """One page."""

    documents: list[dict[str, Any]]
    read_time: str | None
    """The instant that the page shows the database at, as Firestore wrote it."""
    served_at: datetime | None
    size: int
    """Bytes of the body."""


@dataclass(frozen=True, slots=True)
class Status:
    """google.rpc.Status: https://cloud.google.com/apis/design/errors"""

    code: int
    """The HTTP status."""
    name: str
    """Such as RESOURCE_EXHAUSTED; empty where the answer was not Firestore's."""
    message: str
    after: float | None = None
    """Seconds to wait that google.rpc.RetryInfo asks for."""

    @classmethod
    def of(cls, body: Any, code: int) -> Status | None:
        """The error in a body or in an element of the array; None where there is none."""
        if isinstance(body, list):
            return next((found for element in body if (found := cls.of(element, code))), None)
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return None
        given = error.get("code")
        return cls(
            given if type(given) is int and given in _CODES else code,
            str(error.get("status", "")),
            str(error.get("message", "")),
            _delay(error.get("details")),
        )


class QueryFailed(Exception):
    """Firestore said in the array that the query failed, after so many documents."""

    def __init__(self, status: Status, documents: int) -> None:
        super().__init__(status.name)
        self.status = status
        self.documents = documents


def page(received: Received) -> Answer:
    """The documents of an answer with a status of success.

    Raises QueryFailed, PermanentError (NotJSON, NumberOutOfRange), RetryableError (ConnectionLost) where the array has no end.
    """
    call, content = received.call, received.content
    elements = _array(call, content, received.headers.get("content-type", ""))
    status = Status.of(elements, 200)
    documents = [element["document"] for element in elements if "document" in element]
    if status is not None:
        raise QueryFailed(status, len(documents))
    if not all(isinstance(one, dict) and "/documents/" in str(one.get("name")) for one in documents):
        raise _foreign(call, "a document has no name")
    times = [element["readTime"] for element in elements if isinstance(element.get("readTime"), str)]
    return Answer(documents, times[0] if times else None, parse_http_date(received.headers.get("date")), len(content))


def decoded(content: bytes) -> Any:
    """The body as JSON, or None."""
    try:
        return _decode(content)
    except (ValueError, RecursionError, ArithmeticError):
        return None


def _array(call: Call, content: bytes, content_type: str) -> list[dict[str, Any]]:
    try:
        body = _decode(content)
    except (msgspec.ValidationError, ArithmeticError):
        said = f"{call}: a number in the body has more digits than can be kept exactly"
        raise PermanentError(said, reason=reasons.NUMBER_OUT_OF_RANGE) from None
    except (ValueError, RecursionError):
        if content.lstrip().startswith(b"[") and not content.rstrip().endswith(b"]"):
            said = f"{call}: the connection was lost before the answer was complete: the array of documents has no end"
            raise RetryableError(said, reason=reasons.CONNECTION_LOST) from None
        shown = call.redaction.text(content[:8192].decode("utf-8", "replace"))
        raise _foreign(call, f"with {call.redaction.text(content_type or 'no content type', 80)}, which is not JSON: {shown}") from None
    if not isinstance(body, list) or not all(isinstance(element, dict) for element in body):
        raise _foreign(call, "with JSON that is no array of documents")
    return body


def _foreign(call: Call, what: str) -> PermanentError:
    return PermanentError(f"{call} did not answer as Firestore does: {what}; check spec.source.firestore.endpoint", reason=reasons.NOT_JSON)


def _delay(details: Any) -> float | None:
    """RetryInfo's retryDelay, such as 3.5s."""
    for detail in details if isinstance(details, list) else ():
        found = _SECONDS.fullmatch(str(detail.get("retryDelay", ""))) if isinstance(detail, dict) else None
        if found:
            return float(found[1])
    return None
