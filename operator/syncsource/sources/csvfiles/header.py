"""Names of the columns."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from syncsource.errors import SchemaMismatch, outside_text
from syncsource.records import paths
from syncsource.resource.spec import SyncSourceSpec

MOST_COLUMNS = 2000
_SHOWN = 40
"""Names that a message lists."""


def named(cells: Sequence[str], file: str) -> list[str]:
    """The header's cells as names, without white space around them; an empty one is ``column_3`` by its place, and one that repeats gets a
    number: ``Phone``, ``Phone_2``. Raises SchemaMismatch where there are too many."""
    if len(cells) > MOST_COLUMNS:
        raise SchemaMismatch(f"{outside_text(file)} has a header of {len(cells):,} cells; more than {MOST_COLUMNS:,} columns are not read")
    wanted = [cell.strip() or f"column_{place}" for place, cell in enumerate(cells, 1)]
    taken, names = set(wanted), dict[str, None]()
    for name in wanted:
        names[name if name not in names else _numbered(name, taken)] = None
    return list(names)


def _numbered(name: str, taken: set[str]) -> str:
    number = next(number for number in count(2) if f"{name}_{number}" not in taken)
    taken.add(f"{name}_{number}")
    return f"{name}_{number}"


def wanted(spec: SyncSourceSpec) -> dict[str, str]:
    """Columns that fields name → the field. Expressions say themselves what an absent column is."""
    found: dict[str, str] = {}
    for field in spec.fields:
        if field.value is None and not field.partition:
            for name in (paths.names(field.path or paths.quoted(field.name)) or ())[:1]:
                found[name] = field.name
    return found


def check(names: Sequence[str], needed: dict[str, str], file: str) -> None:
    """Raises SchemaMismatch where a column is not there: to take it for null would empty the rows that have it."""
    absent = [f"{outside_text(name, 60)!r} (field {field})" for name, field in needed.items() if name not in names]
    if absent:
        shown = ", ".join(outside_text(name, 60) for name in names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        raise SchemaMismatch(
            f"{outside_text(file)} has no column {', '.join(absent)}; it has: {shown}; mend spec.fields[].path, spec.source.csv.delimiter or skipLines, "
            "or the file"
        )
