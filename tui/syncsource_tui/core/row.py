"""One SyncSource as the fleet shows it: slim, so that tens of thousands fit into memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from syncsource_tui.core.reading import Object, condition, number, part, raw, text, time
from syncsource_tui.core.state import State, state_of


@dataclass(frozen=True, slots=True)
class Row:
    """Everything that is shown is clean. Times are instants in seconds; None: never, or not known."""

    uid: str
    namespace: str
    name: str
    version: str
    """The resourceVersion it was made from."""
    state: State
    suspended: bool
    last: float | None
    """The last success."""
    next: float | None
    """The next run: the retry's time where that is earlier."""
    started: float | None
    """The start of the run under way."""
    read: int
    """Records that this run has read so far."""
    rows: int | None
    """Rows that the last run changed."""
    quarantined: int
    message: str
    schedule: str
    source: str
    table: str
    labels: tuple[tuple[str, str], ...]
    haystack: str = field(repr=False)
    """What a plain term is searched in, in lower case."""

    @property
    def key(self) -> str:
        """``namespace/name``, as the operator's log has it."""
        return f"{self.namespace}/{self.name}"


def project(source: Object) -> Row | None:
    """The row of an object; None for what has no uid and name and so is no object."""
    metadata, status = part(source, "metadata"), part(source, "status")
    uid, name = raw(metadata, "uid"), text(metadata, "name")
    if not uid or not name:
        return None
    state, running = state_of(source), part(status, "currentRun")
    namespace, message = text(metadata, "namespace"), _message(source, state)
    http, sql = part(source, "spec", "source", "http"), part(source, "spec", "destination", "sql")
    schedule, url, table = text(status, "effectiveSchedule"), text(status, "source") or text(http, "baseURL"), text(sql, "table")
    return Row(
        uid=uid,
        namespace=namespace,
        name=name,
        version=raw(metadata, "resourceVersion"),
        state=state,
        suspended=part(source, "spec").get("suspend") is True,
        last=time(status, "lastSuccessTime"),
        next=_next(status),
        started=time(running, "startedAt"),
        read=number(running, "read") or 0,
        rows=number(part(status, "lastRun"), "changed"),
        quarantined=number(status, "quarantined") or 0,
        message=message,
        schedule=schedule,
        source=url,
        table=table,
        labels=tuple((key, str(value)) for key, value in part(metadata, "labels").items()),
        haystack="\n".join((namespace, name, state.value.word, message, schedule, url, table)).lower(),
    )


def _next(status: Object) -> float | None:
    due = [moment for moment in (time(status, "nextRunTime"), time(status, "nextRetryTime")) if moment is not None]
    return min(due, default=None)


def _message(source: Object, state: State) -> str:
    status = part(source, "status")
    if state is State.SUSPENDED:
        return text(part(source, "spec"), "suspendReason") or "nothing runs until it is resumed"
    if state is State.STALLED:
        return _reasoned(condition(status, "Stalled"))
    if state is State.FAILED:
        return _reasoned(condition(status, "Ready"))
    if state is State.WAITING:
        return text(condition(status, "Syncing"), "message")
    if state is State.UNSEEN:
        return "no operator has looked at it yet"
    return text(condition(status, "Ready"), "message")


def _reasoned(found: Object) -> str:
    """``Reason: message``, the reason once."""
    reason, message = text(found, "reason"), text(found, "message")
    return message if not reason or message.startswith(reason) else f"{reason}: {message}".rstrip(": ")
