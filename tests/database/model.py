"""What one run means, in plain Python: the promises as code. Hypothesis holds the engine against it.

A table is a dict from key to row; a row is a dict with mapped and unmapped columns. A run reads pages of records
from an upstream and changes the table, the cursor and the quarantine all together or not at all.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
MAPPED = ("id", "name", "amount", "changed")


@dataclass
class Counts:
    """read = inserted + updated + unchanged + skipped + quarantined, always."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0


@dataclass
class State:
    """What is in the database: promise 1 says that it moves as a whole."""

    table: dict[int, dict[str, Any]] = field(default_factory=dict)
    cursor: int | None = None
    quarantine: set[str] = field(default_factory=set)


class Model:
    """The database, and what runs and people do to it."""

    def __init__(self, *, on_existing: str = "Update", max_invalid: int | None = None) -> None:
        self.state = State()
        self.on_existing, self.max_invalid = on_existing, max_invalid

    def person_edits(self, key: int, column: str, value: Any) -> None:
        """People change rows too, mapped columns and others."""
        if key in self.state.table:
            self.state.table[key][column] = value

    def run(self, upstream: list[Record], *, full: bool = False, fails: bool = False) -> Counts | None:
        """One run. None: it failed, and nothing at all changed."""
        after = deepcopy(self.state)
        counts = self._read_and_write(after, upstream, full)
        too_many = self.max_invalid is not None and counts.quarantined > self.max_invalid
        if fails or too_many:
            return None
        self.state = after
        return counts

    def _read_and_write(self, state: State, upstream: list[Record], full: bool) -> Counts:
        since = None if full else state.cursor
        records = [record for record in upstream if since is None or record["changed"] is None or record["changed"] >= since]
        if since is None:
            state.quarantine = set()  # a full read tells anew what is invalid
        counts = Counts(read=len(records))
        for record in self._newest(records, counts, state):
            self._write(state.table, record, counts)
        cursors = [record["changed"] for record in records if record["changed"] is not None]
        state.cursor = max(cursors if since is None else [since, *cursors], default=None)  # a full read's cursor is what it saw
        return counts

    def _newest(self, records: list[Record], counts: Counts, state: State) -> list[Record]:
        """Of valid records with one key the newest: the highest cursor, then the last read. The others are skipped."""
        newest: dict[int, Record] = {}
        for record in records:
            if not _valid(record):
                counts.quarantined += 1
                state.quarantine.add(repr(sorted(record.items())))
                continue
            other = newest.get(record["id"])
            if other is not None:
                counts.skipped += 1
            if other is None or _age(record) >= _age(other):
                newest[record["id"]] = record
        return list(newest.values())

    def _write(self, table: dict[int, dict[str, Any]], record: Record, counts: Counts) -> None:
        row = table.get(record["id"])
        mapped = {column: record[column] for column in MAPPED}
        if row is None:
            table[record["id"]] = {**mapped, "note": None}
            counts.inserted += 1
        elif self.on_existing == "Skip":
            counts.skipped += 1
        elif all(row[column] == value for column, value in mapped.items()):
            counts.unchanged += 1
        else:
            row.update(mapped)  # unmapped columns stay as people left them
            counts.updated += 1


def _valid(record: Record) -> bool:
    return record["id"] is not None and isinstance(record["amount"], int | type(None))


def _age(record: Record) -> int:
    return -1 if record["changed"] is None else record["changed"]
