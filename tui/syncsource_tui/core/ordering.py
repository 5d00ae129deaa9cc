"""In which order the fleet stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from syncsource_tui.core.row import Row

_NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Sort:
    """``moves``: whether an update of a row can change its place."""

    name: str
    key: Callable[[Row], Any]
    moves: bool = True


SORTS = (
    Sort("name", lambda row: (row.namespace, row.name), moves=False),
    Sort("status", lambda row: (row.state.value.rank, row.namespace, row.name)),
    Sort("last", lambda row: (-(row.last or 0), row.namespace, row.name)),
    Sort("next", lambda row: (row.next if row.next is not None else _NEVER, row.namespace, row.name)),
    Sort("rows", lambda row: (-(row.rows or 0), row.namespace, row.name)),
    Sort("quarantined", lambda row: (-row.quarantined, row.namespace, row.name)),
)
"""Each with what people look for first on top: the worst, the latest, the most; names decide between equals."""


def after(sort: Sort) -> Sort:
    """The next one, round and round."""
    return SORTS[(SORTS.index(sort) + 1) % len(SORTS)]


def named(name: str) -> Sort | None:
    """The sort that begins with ``name``."""
    return next((sort for sort in SORTS if name and sort.name.startswith(name.lower())), None)
