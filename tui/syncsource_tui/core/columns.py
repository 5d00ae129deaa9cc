"""The fleet's columns: which of them a width has room for, and what stands in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from syncsource_tui.core.row import Row
from syncsource_tui.core.state import State, Tone
from syncsource_tui.core.text import width_of
from syncsource_tui.core.times import is_late, since, span, until

GAP = 2
"""Cells between two columns."""
MARK = "●"
_NEVER = "–"
_LEAST_MESSAGE = 28
_NAMES = (8, 32)
_NAMESPACES = (9, 20)
"""The least and the most cells of a column of names."""


@dataclass(frozen=True, slots=True)
class Column:
    """``width`` in cells; 0 for the one that takes what is left."""

    id: str
    title: str
    width: int
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Cell:
    """Clean text and what it means."""

    text: str
    tone: Tone = ""


EMPTY = Cell("")
_STATUS = Column("status", "STATUS", 13)
_LAST = Column("last", "LAST", 5)
_NEXT = Column("next", "NEXT", 9)
_ROWS = Column("rows", "ROWS", 9, "right")
_QUARANTINED = Column("quarantined", "QUAR", 6, "right")
_SCHEDULE = Column("schedule", "SCHEDULE", 14)
MESSAGE = Column("message", "MESSAGE", 0)
_DROPPED = ("schedule", "quarantined", "rows", "namespace", "next")
"""What goes first where there is no room."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How wide names are: of the rows shown, within bounds."""

    name: int
    namespace: int
    """0 where all rows are of one namespace."""


def extent(rows: Collection[Row]) -> Extent:
    """Measured once for a view, so that columns don't dance."""
    names, namespaces = {row.name for row in rows}, {row.namespace for row in rows}
    return Extent(_between(names, _NAMES), _between(namespaces, _NAMESPACES) if len(namespaces) > 1 else 0)


def _between(texts: Collection[str], bounds: tuple[int, int]) -> int:
    least, most = bounds
    return max(least, min(most, max(map(width_of, texts), default=0)))


def layout(width: int, names: Extent) -> list[Column]:
    """The columns that ``width`` cells have room for, mark, name, status, last and message in any case."""
    columns = [
        Column("mark", "", 1),
        *([Column("namespace", "NAMESPACE", min(names.namespace, max(width // 6, _NAMESPACES[0])))] if names.namespace else []),
        Column("name", "NAME", min(names.name, max(width // 3, _NAMES[0]))),
        _STATUS,
        _LAST,
        _NEXT,
        _ROWS,
        _QUARANTINED,
        _SCHEDULE,
        MESSAGE,
    ]
    for dropped in _DROPPED:
        if _room(columns, width) >= _LEAST_MESSAGE + (16 if dropped == "schedule" else 0):
            break
        columns = [column for column in columns if column.id != dropped]
    return columns


def _room(columns: Sequence[Column], width: int) -> int:
    return width - sum(column.width + GAP for column in columns if column.width)


def cells(row: Row, now: float) -> dict[str, Cell]:
    """What stands in each column at ``now``."""
    look = row.state.value
    return {
        "namespace": Cell(row.namespace, "dim"),
        "name": Cell(row.name, "strong"),
        "status": Cell(row.state.shown, look.tone),
        "last": Cell(since(row.last, now)),
        "next": _next(row, now),
        "rows": Cell(_NEVER if row.rows is None else f"{row.rows:,}"),
        "quarantined": Cell(f"{row.quarantined:,}", "warn") if row.quarantined else Cell("0", "dim"),
        "schedule": Cell(row.schedule, "dim"),
        "message": _message(row, now),
    }


def _next(row: Row, now: float) -> Cell:
    if row.suspended or row.state is State.RUNNING or row.next is None:
        return Cell(_NEVER, "dim")
    return Cell(until(row.next, now), "warn" if is_late(row.next, now) else "")


def _message(row: Row, now: float) -> Cell:
    if row.state is State.RUNNING:
        return Cell(progress(row, now), "busy")
    return Cell(row.message, row.state.value.tone if row.state.is_problem else "dim")


def progress(row: Row, now: float) -> str:
    """Of a run under way: ``9,204 read, 42s``."""
    took = "" if row.started is None else f", {span(now - row.started)}"
    return f"{row.read:,} read{took}"
