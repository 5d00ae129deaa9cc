"""The runs of a source: a table of the last ten, and one of them in full."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource_tui.core.columns import MESSAGE, Cell, Column
from syncsource_tui.core.reading import Object, number, part, parts, raw, text, time
from syncsource_tui.core.state import Tone
from syncsource_tui.core.times import Clock, date_and_time, since, span

_COUNTS = ("read", "inserted", "updated", "unchanged", "skipped", "quarantined")
_LOOKS: dict[str, tuple[str, Tone]] = {
    "Succeeded": ("✓", "good"),
    "Failed": ("✗", "bad"),
    "Interrupted": ("!", "warn"),
    "Refused": ("‖", "warn"),
}


def columns(width: int) -> list[Column]:
    """What a width has room for."""
    wide = width >= 100
    return [
        *([Column("run", "RUN", 13)] if wide else []),
        Column("result", "RESULT", 13),
        Column("trigger", "TRIGGER", 10),
        Column("started", "STARTED", 7),
        Column("took", "TOOK", 6, "right"),
        *([Column("read", "READ", 9, "right")] if wide else []),
        Column("changed", "CHANGED", 9, "right"),
        *([Column("quarantined", "QUAR", 6, "right")] if wide else []),
        MESSAGE,
    ]


def keys(source: Object) -> list[str]:
    """The run under way, then those that ended, newest first."""
    status = part(source, "status")
    current = raw(part(status, "currentRun"), "id")
    ended = [raw(entry, "id") for entry in parts(status, "history")]
    return list(dict.fromkeys(one for one in (current, *ended) if one))


def cells(source: Object, run: str, clock: Clock) -> dict[str, Cell]:
    """One run's line."""
    entry, now = _entry(source, run), clock.now()
    if not entry:
        return _current(part(source, "status", "currentRun"), now)
    glyph, tone = _look(entry)
    return {
        "run": Cell(text(entry, "id"), "dim"),
        "result": Cell(f"{glyph} {text(entry, 'result')}", tone),
        "trigger": Cell(text(entry, "trigger")),
        "started": Cell(since(time(entry, "startedAt"), now)),
        "took": Cell(text(entry, "duration")),
        "read": Cell(f"{number(entry, 'read') or 0:,}"),
        "changed": Cell(f"{(number(entry, 'inserted') or 0) + (number(entry, 'updated') or 0):,}"),
        "quarantined": _quarantined(entry),
        "message": Cell(_told(entry), tone if tone != "good" else "dim"),
    }


def details(source: Object, run: str, clock: Clock) -> list[tuple[str, str, Tone]]:
    """Everything of one run: label, value, tone."""
    entry = _entry(source, run)
    if not entry:
        return _current_details(part(source, "status", "currentRun"), clock)
    counts = ", ".join(f"{number(entry, word) or 0:,} {word}" for word in _COUNTS)
    kind = "full" if entry.get("full") is True else "from the cursor on"
    return [
        ("Run", f"{text(entry, 'id')}, {kind}, generation {number(entry, 'generation') or '–'}", ""),
        ("Started", f"{date_and_time(time(entry, 'startedAt'), clock.zone)}, took {text(entry, 'duration')}", ""),
        (
            "Result",
            ": ".join(dict.fromkeys(filter(None, (text(entry, "result"), text(entry, "reason"))))),
            _look(entry)[1],
        ),
        ("Counts", counts, ""),
        ("Message", text(entry, "message") or "none", ""),
    ]


def _entry(source: Object, run: str) -> Object:
    found: Sequence[Object] = parts(part(source, "status"), "history")
    return next((entry for entry in found if raw(entry, "id") == run), {})


def _look(entry: Object) -> tuple[str, Tone]:
    glyph, tone = _LOOKS.get(raw(entry, "result"), ("?", ""))
    return (glyph, "warn") if tone == "good" and (number(entry, "quarantined") or 0) > 0 else (glyph, tone)


def _quarantined(entry: Object) -> Cell:
    found = number(entry, "quarantined") or 0
    return Cell(f"{found:,}", "warn" if found else "dim")


def _told(entry: Object) -> str:
    reason, message = text(entry, "reason"), text(entry, "message")
    return message if entry.get("result") == "Succeeded" or not reason else f"{reason}: {message}".rstrip(": ")


def _current(run: Object, now: float) -> dict[str, Cell]:
    started = time(run, "startedAt")
    return {
        "run": Cell(text(run, "id"), "dim"),
        "result": Cell("▸ Running", "busy"),
        "trigger": Cell(text(run, "trigger")),
        "started": Cell(since(started, now)),
        "took": Cell("" if started is None else span(now - started)),
        "read": Cell(f"{number(run, 'read') or 0:,}"),
        "message": Cell("full refresh under way" if run.get("full") is True else "under way", "busy"),
    }


def _current_details(run: Object, clock: Clock) -> list[tuple[str, str, Tone]]:
    if not run:
        return []
    started = time(run, "startedAt")
    return [
        ("Run", f"{text(run, 'id')}, {'full' if run.get('full') is True else 'from the cursor on'}, under way", "busy"),
        ("Started", date_and_time(started, clock.zone), ""),
        ("Read", f"{number(run, 'read') or 0:,} so far", ""),
    ]
