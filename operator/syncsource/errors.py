"""One tree of errors. Each carries a CamelCase reason, a message, and what happens next.

    SyncError
    ├── RetryableError     the run fails and is retried with backoff: timeouts, 5xx, 429, a database that is down
    ├── PermanentError     no retry, but the schedule goes on, so that a mended upstream or table is found
    │   ├── SchemaMismatch     records or fields don't fit the table
    │   └── GuardError         the run would break a limit the spec sets (maxInvalid, …): nothing was written
    ├── StalledError       waits for a change of spec, Secret or request
    └── AbortedError       this run ended before its time: fenced, cancelled, interrupted

One record that can't be read or written is no error: it is a ``records.batch.Rejected``, and the run goes on.

A message names the field, the value and the way out. It never holds a secret: what comes from outside
is translated at the border with :func:`outside_text`.
"""

from __future__ import annotations

import re

MESSAGE_LIMIT = 1024
"""The longest message, in characters, that status, Events and the ledger keep."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")


def outside_text(text: str, limit: int = 200) -> str:
    """Text from outside (an upstream's body, a driver's message), safe to show: no control characters, one line, capped."""
    shown = " ".join(without_control(text).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def without_control(text: str) -> str:
    """The same with a space for each run of control characters. Tabs and ends of lines stay."""
    return _CONTROL.sub(" ", text)


class SyncError(Exception):
    """Anything that ends a run or a record. ``reason`` is a CamelCase word, as in a Kubernetes condition."""

    reason = "Error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = outside_text(message, MESSAGE_LIMIT)
        if reason is not None:
            self.reason = reason


class RetryableError(SyncError):
    """Try again with backoff. ``after`` is the least wait in seconds that the other side asked for, if it did."""

    reason = "Unavailable"

    def __init__(self, message: str, *, reason: str | None = None, after: float | None = None) -> None:
        super().__init__(message, reason=reason)
        self.after = after


class CommitLost(RetryableError):
    """The connection was lost during COMMIT: the ledger knows what became of it."""


class PermanentError(SyncError):
    """A retry of the same would fail the same way; the next scheduled run tries again."""

    reason = "Failed"


class SchemaMismatch(PermanentError):
    """The mapped fields don't fit the table, or the answer has not the declared shape."""

    reason = "SchemaMismatch"


class GuardError(PermanentError):
    """A limit of the spec was reached before anything was written."""

    reason = "LimitExceeded"


class StalledError(SyncError):
    """Nothing can succeed until a person changes the spec or a Secret, or asks again."""

    reason = "InvalidSpec"


class AbortedError(SyncError):
    """The run ended before its time. Nothing that it had not committed remains."""

    reason = "Interrupted"
