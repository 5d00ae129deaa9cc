"""The Events of a source: a table, newest first."""

from __future__ import annotations

from syncsource_tui.core.columns import MESSAGE, Cell, Column
from syncsource_tui.core.reading import Object, number, part, raw, text, time
from syncsource_tui.core.times import Clock, date_and_time, since

COLUMNS = [
    Column("last", "LAST", 5),
    Column("type", "TYPE", 8),
    Column("reason", "REASON", 18),
    Column("count", "COUNT", 5, "right"),
    MESSAGE,
]


def newest_first(events: dict[str, Object]) -> list[str]:
    """The uids, by the time an Event was last seen."""
    return sorted(events, key=lambda uid: (-(last_seen(events[uid]) or 0), uid))


def last_seen(event: Object) -> float | None:
    """An Event says it in one of four places, as its maker likes."""
    series = part(event, "series")
    return (
        time(series, "lastObservedTime")
        or time(event, "lastTimestamp")
        or time(event, "eventTime")
        or time(part(event, "metadata"), "creationTimestamp")
    )


def cells(event: Object, clock: Clock) -> dict[str, Cell]:
    """One Event's line."""
    warns = event.get("type") == "Warning"
    return {
        "last": Cell(since(last_seen(event), clock.now())),
        "type": Cell(text(event, "type"), "warn" if warns else "dim"),
        "reason": Cell(text(event, "reason")),
        "count": Cell(f"{_count(event):,}"),
        "message": Cell(text(event, "message"), "" if warns else "dim"),
    }


def details(event: Object, clock: Clock) -> list[tuple[str, str]]:
    """Everything of one Event that people read."""
    first = time(event, "firstTimestamp") or time(event, "eventTime")
    return [
        ("Reason", f"{text(event, 'reason')} ({text(event, 'type')}, {_count(event):,} times)"),
        ("Seen", f"{date_and_time(first, clock.zone)} to {date_and_time(last_seen(event), clock.zone)}"),
        ("Message", text(event, "message")),
        ("By", text(event, "reportingComponent") or text(part(event, "source"), "component")),
    ]


def belongs(event: Object, uid: str) -> bool:
    """Whether the Event is of that object."""
    return raw(part(event, "involvedObject"), "uid") == uid


def _count(event: Object) -> int:
    return number(part(event, "series"), "count") or number(event, "count") or 1
