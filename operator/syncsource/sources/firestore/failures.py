"""What Firestore says went wrong, as one of our errors: https://cloud.google.com/firestore/docs/use-rest-api#error_codes"""

from __future__ import annotations

from syncsource.errors import PermanentError, RetryableError, SyncError
from syncsource.sources.firestore.answers import Status, decoded
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call

INDEX_MISSING = "IndexMissing"
"""Permanent: the query needs an index that the database has not."""
LONGEST = 700
"""Characters of what Firestore says that a message shows: the link that makes a missing index is long."""

_RETRIED = {
    "RESOURCE_EXHAUSTED": reasons.RATE_LIMITED,
    "DEADLINE_EXCEEDED": reasons.TIMEOUT,
    "UNAVAILABLE": reasons.UPSTREAM_UNAVAILABLE,
    "INTERNAL": reasons.UPSTREAM_UNAVAILABLE,
    "UNKNOWN": reasons.UPSTREAM_UNAVAILABLE,
    "ABORTED": reasons.UPSTREAM_UNAVAILABLE,
    "CANCELLED": reasons.UPSTREAM_UNAVAILABLE,
}
_BY_CODE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    504: "DEADLINE_EXCEEDED",
}


def refusal(call: Call, code: int, body: str, after: float | None, secret: str | None) -> SyncError:
    """What an answer means whose status is no success. ``body``: its beginning."""
    return refused(call, Status.of(decoded(body.encode()), code) or Status(code, "", body), after, secret)


def refused(call: Call, status: Status, after: float | None, secret: str | None) -> SyncError:
    """What a status means. ``after``: seconds of a Retry-After. ``secret``: the name of the Secret that was used."""
    name = status.name if status.name in _RETRIED or status.name in _BY_CODE.values() else _named(status)
    quoted = call.redaction.text(status.message, LONGEST)
    said = f"{call} answered {status.code} {call.redaction.text(status.name, 60)}".rstrip() + (f": {quoted}" if quoted else "")
    if name in _RETRIED:
        waits = [seconds for seconds in (after, status.after) if seconds is not None]
        return RetryableError(said, reason=_RETRIED[name], after=max(waits, default=None))
    if name in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return PermanentError(f"{said}; {_advice(secret)}", reason=reasons.AUTH_FAILED)
    if name == "NOT_FOUND":
        return PermanentError(f"{said}; check project and database of spec.source.firestore", reason=reasons.NOT_FOUND)
    if "index" in status.message and status.name == "FAILED_PRECONDITION":
        return PermanentError(said, reason=INDEX_MISSING)
    return PermanentError(said, reason=reasons.UPSTREAM_REFUSED)


def _named(status: Status) -> str:
    if status.name:
        return status.name
    return _BY_CODE.get(status.code, "UNAVAILABLE" if status.code >= 500 else "")


def _advice(secret: str | None) -> str:
    if secret is None:
        return "it wants credentials; set spec.source.firestore.auth"
    return f"check the key in Secret {secret} (spec.source.firestore.auth), and that its account may read (Cloud Datastore Viewer)"
