"""One source on one page: what it is, what it came to, what it waits for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncsource_tui.core.columns import Cell
from syncsource_tui.core.reading import Object, number, part, parts, raw, text, time
from syncsource_tui.core.state import Tone
from syncsource_tui.core.text import clean, fit, wrap
from syncsource_tui.core.times import Clock, date_and_time, since, until

_LABEL = 14
_INDENT = 2
_COMPARED = ("rows", "missing", "different", "ambiguous", "extra", "quarantined")
_GOOD = {("Ready", "True"), ("Syncing", "True"), ("Syncing", "False"), ("Ready", "Unknown")}


@dataclass(frozen=True, slots=True)
class Fact:
    """``label`` and what it is; an empty label goes on with the one above; no value: a heading."""

    label: str
    value: str = ""
    tone: Tone = ""


def facts(source: Object, clock: Clock) -> Iterator[Fact]:
    """Everything on the page, from the top down."""
    status, spec = part(source, "status"), part(source, "spec")
    yield from _now(status, spec, clock)
    yield from _conditions(status, clock)
    yield from _last_run(status, clock)
    yield from _verification(part(status, "verification"), clock)
    yield from _flow(spec, text(status, "source"))
    yield from _identity(source, clock)


def lines(source: Object, clock: Clock, width: int) -> list[list[Cell]]:
    """The page in lines of at most ``width`` cells."""
    page: list[list[Cell]] = []
    for fact in facts(source, clock):
        if not fact.value:
            page += [[], [Cell(fact.label, "key")]] if page else [[Cell(fact.label, "key")]]
            continue
        label = " " * _INDENT + fit(fact.label, _LABEL)
        for text_line in wrap(fact.value, width - _LABEL - _INDENT):
            page.append([Cell(label, "dim"), Cell(text_line, fact.tone)])
            label = " " * (_LABEL + _INDENT)
    return page


def _now(status: Object, spec: Object, clock: Clock) -> Iterator[Fact]:
    now = clock.now()
    yield Fact("Now")
    yield Fact("Schedule", text(status, "effectiveSchedule") or _declared(spec) or "none: runs on request only")
    if spec.get("suspend") is True:
        yield Fact("Paused", text(spec, "suspendReason") or "without a reason", "warn")
    run = part(status, "currentRun")
    if run:
        kind = "full run" if run.get("full") is True else "run"
        took = since(time(run, "startedAt"), now)
        yield Fact("Running", f"{kind} {text(run, 'id')} ({text(run, 'trigger')}), {number(run, 'read') or 0:,} read, {took}", "busy")
    yield Fact("Next run", _moment(time(status, "nextRunTime"), clock, until))
    if time(status, "nextRetryTime") is not None:
        yield Fact("Next retry", _moment(time(status, "nextRetryTime"), clock, until), "warn")
    yield Fact("Last success", _moment(time(status, "lastSuccessTime"), clock, _ago))
    yield Fact("Last attempt", _moment(time(status, "lastAttemptTime"), clock, _ago))
    failures = number(status, "consecutiveFailures") or 0
    if failures:
        yield Fact("Failures", f"{failures:,} in a row", "bad")
    quarantined = number(status, "quarantined") or 0
    yield Fact("Quarantined", f"{quarantined:,} records" if quarantined != 1 else "1 record", "warn" if quarantined else "")
    yield Fact("Cursor", text(status, "cursor") or "none")


def _declared(spec: Object) -> str:
    schedule = part(spec, "schedule")
    return f"every {text(schedule, 'every')}" if text(schedule, "every") else text(schedule, "cron")


def _ago(then: float | None, now: float) -> str:
    return "never" if then is None else f"{since(then, now)} ago"


def _moment(then: float | None, clock: Clock, told: Any) -> str:
    words: str = told(then, clock.now())
    return words if then is None else f"{words} ({date_and_time(then, clock.zone)})"


def _conditions(status: Object, clock: Clock) -> Iterator[Fact]:
    found = parts(status, "conditions")
    yield Fact("Conditions")
    if not found:
        yield Fact("none", "no operator has looked at it yet", "warn")
    for one in found:
        state, reason = text(one, "status"), text(one, "reason")
        age = since(time(one, "lastTransitionTime"), clock.now())
        yield Fact(text(one, "type"), f"{state} · {reason} · for {age}", _tone(one))
        if text(one, "message"):
            yield Fact("", text(one, "message"))


def _tone(one: Object) -> Tone:
    type_, state = raw(one, "type"), raw(one, "status")
    if (type_, state) == ("Ready", "True"):
        return "warn" if one.get("reason") == "RecordsQuarantined" else "good"
    return "" if (type_, state) in _GOOD else "warn" if type_ == "Suspended" else "bad"


def _last_run(status: Object, clock: Clock) -> Iterator[Fact]:
    run = part(status, "lastRun")
    yield Fact("Last run")
    if not run:
        yield Fact("none", "it has not run yet", "dim")
        return
    ended = next((entry for entry in parts(status, "history") if entry.get("id") == run.get("id")), {})
    counts = [f"{number(run, word) or 0:,} {word}" for word in ("read", "inserted", "updated", "unchanged")]
    counts += [f"{found:,} {word}" for word in ("skipped", "quarantined", "deleted", "conflicts") if (found := number(run, word))]
    yield Fact("Run", text(run, "id") + (f" ({text(ended, 'trigger')}), took {text(ended, 'duration')}" if ended else ""))
    yield Fact("Counts", ", ".join(counts))
    partitions = part(run, "partitions")
    if partitions:
        done = [number(partitions, word) or 0 for word in ("succeeded", "total", "failed")]
        yield Fact("Partitions", f"{done[0]:,} of {done[1]:,} succeeded, {done[2]:,} failed", "bad" if done[2] else "")
    if billed := number(run, "documentReads"):
        yield Fact("Billed", f"{billed:,} documents")


def _verification(told: Object, clock: Clock) -> Iterator[Fact]:
    """Nothing where it was never verified and never will be."""
    if not told:
        return
    yield Fact("Verification")
    if time(told, "time") is not None:
        share, sample = text(told, "accuracy"), number(told, "sample")
        of = f" of the first {sample:,} records of each partition" if sample else ""
        exact = share.startswith("100.") or not share
        yield Fact(
            "Accuracy",
            (f"{share} % of {number(told, 'cells') or 0:,} cells{of}" if share else "nothing to compare"),
            "" if exact else "warn",
        )
        yield Fact("Counts", ", ".join(f"{number(told, word) or 0:,} {word}" for word in _COMPARED if word == "rows" or number(told, word)))
        yield Fact("Found", _moment(time(told, "time"), clock, _ago))
    if text(told, "result") in ("Failed", "Refused"):
        yield Fact(text(told, "result"), f"{text(told, 'reason')}: {text(told, 'message')}", "bad")
    if text(told, "schedule"):
        yield Fact("Next", _moment(time(told, "nextTime"), clock, until))


def _param(incremental: Object) -> str:
    return f", as parameter {text(incremental, 'param')}" if incremental.get("param") else ""


def _flow(spec: Object, place: str) -> Iterator[Fact]:
    http, sql = part(spec, "source", "http"), part(spec, "destination", "sql")
    request, secret = part(http, "request"), part(sql, "urlFrom", "secretKeyRef")
    yield Fact("What goes where")
    call = f"{text(request, 'method') or 'GET'} {text(http, 'baseURL')}{text(request, 'path')}".strip()
    yield Fact("Source", call if http else place)
    yield Fact("Destination", f"table {text(sql, 'table')} (database of Secret {text(secret, 'name')}, key {text(secret, 'key')})")
    incremental = part(spec, "incremental")
    yield Fact(
        "Incremental",
        f"by {text(incremental, 'cursor')}{_param(incremental)}" if incremental else "no: every run reads all",
    )
    keys = [
        "+".join(clean(name) for name in one.get("fields", ()) if isinstance(name, str))
        for one in parts(spec, "keys")
        if isinstance(one.get("fields"), list)
    ]
    yield Fact("Key", ", ".join(keys) or "none")
    yield Fact("Columns", ", ".join(text(column, "name") for column in parts(spec, "fields")) or "none")


def _identity(source: Object, clock: Clock) -> Iterator[Fact]:
    metadata, status = part(source, "metadata"), part(source, "status")
    generation, observed = number(metadata, "generation"), number(status, "observedGeneration")
    yield Fact("Object")
    yield Fact("Generation", f"{generation or '–'}, observed {observed or 'never'}", "warn" if generation != observed else "")
    created = time(metadata, "creationTimestamp")
    yield Fact("Created", _moment(created, clock, _ago))
    labels = [f"{clean(key)}={clean(value)}" for key, value in part(metadata, "labels").items()]
    if labels:
        yield Fact("Labels", ", ".join(labels))
