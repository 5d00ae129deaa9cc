"""What one run means, in plain Python: the promises as code. Hypothesis holds the engine against it.

A table is a dict from key to row; a row is a dict with mapped and unmapped columns. A run reads pages of records
from an upstream and changes the table, the cursor and the quarantine all together or not at all.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

Record = dict[str, Any]
Row = dict[str, Any]
MAPPED = ("id", "name", "amount", "changed")
COLUMNS = MAPPED[1:]
"""Those that may change."""


@dataclass
class Counts:
    """read = inserted + updated + unchanged + skipped + quarantined, always."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    quarantined: int = 0
    deleted: int = 0
    conflicts: int = 0


@dataclass(frozen=True)
class Policies:
    """spec.write and spec.safety, as far as the model knows them."""

    on_missing: str = "Insert"
    on_existing: str = "Update"
    on_absent: str = "Ignore"
    resolve: str = "Manual"
    protect: frozenset[str] = frozenset()
    max_changed: int | None = None

    @property
    def write(self) -> dict[str, Any]:
        """As spec.write has it."""
        found: dict[str, Any] = {"onMissing": self.on_missing, "onExisting": self.on_existing, "onAbsent": self.on_absent}
        found |= {"conflict": {"resolve": self.resolve}} if self.on_existing == "Merge" else {}
        found |= {"softDelete": {"column": "gone"}} if self.on_absent == "SoftDelete" else {}
        return found | ({"protect": sorted(self.protect)} if self.protect else {})


class Stopped(Exception):
    """A limit ends the run, and nothing is written. ``args``: the reason."""


@dataclass
class Image:
    """What a run did to a row: None where it was not there, or is not there now."""

    key: int
    before: Row | None
    after: Row | None


@dataclass
class State:
    """What is in the database: promise 1 says that it moves as a whole."""

    table: dict[int, Row] = field(default_factory=dict)
    cursor: int | None = None
    quarantine: set[str] = field(default_factory=set)
    bases: dict[int, Row] = field(default_factory=dict)
    """What the source last said of each key."""
    conflicts: set[tuple[int, str]] = field(default_factory=set)
    owned: dict[int, bool] = field(default_factory=dict)
    """The keys that the source sent; whether we marked their rows as deleted."""
    runs: list[list[Image]] = field(default_factory=list)
    """What can be undone, the last run last."""


class Model:
    """The database, and what runs and people do to it."""

    def __init__(self, *, policies: Policies = Policies(), max_invalid: int | None = None) -> None:
        self.state = State()
        self.policies, self.max_invalid = policies, max_invalid

    def person_edits(self, key: int, column: str, value: Any) -> None:
        """People change rows too, mapped columns and others."""
        if key in self.state.table:
            self.state.table[key][column] = value

    def person_types_in(self, key: int) -> None:
        """A row that no source sent."""
        self.state.table.setdefault(key, {"id": key, "name": "typed", "amount": None, "changed": None, "note": "mine", "gone": False})

    def person_deletes(self, key: int) -> None:
        """Whosever it was."""
        self.state.table.pop(key, None)

    def run(self, upstream: list[Record], *, full: bool = False, fails: bool = False) -> Counts | str:
        """One run. A str: it failed for this reason, and nothing at all changed."""
        after = deepcopy(self.state)
        try:
            counts = _Run(after, self.policies, self.max_invalid).run(upstream, full)
        except Stopped as stopped:
            return str(stopped)
        if fails:
            return "broke off"
        self.state = after
        return counts

    def undo(self) -> tuple[int, int, int, int] | None:
        """The last run that changed anything: rows restored, removed, inserted again, and left. None: there is none."""
        if not self.state.runs:
            return None
        images, table = self.state.runs.pop(), self.state.table
        restored = removed = reinserted = 0
        for one in images:
            if one.before is None and table.get(one.key) == one.after:
                del table[one.key]
                removed += 1
        for one in images:
            if one.before is not None and one.after is not None and one.key in table:
                changed = [name for name in one.before if one.before[name] != one.after[name]]
                if all(table[one.key][name] == one.after[name] for name in changed):
                    table[one.key] |= {name: one.before[name] for name in changed}
                    restored += 1
        for one in images:
            if one.after is None and one.before is not None and one.key not in table:
                table[one.key] = dict(one.before)
                reinserted += 1
        self._rewind_bases(images)
        return restored, removed, reinserted, len(images) - restored - removed - reinserted

    def _rewind_bases(self, images: list[Image]) -> None:
        """So the source says anew what it had said of the rows that are as they were before."""
        bases, table = self.state.bases, self.state.table
        for one in images:
            if one.before is None and one.key not in table:
                bases.pop(one.key, None)
            if one.before is not None and one.after is not None and one.key in table and one.key in bases:
                changed = [name for name in COLUMNS if one.before[name] != one.after[name]]
                if all(table[one.key][name] == one.before[name] for name in changed):
                    bases[one.key] |= {name: one.before[name] for name in changed}


class _Run:
    """One run on a copy of the state."""

    def __init__(self, state: State, policies: Policies, max_invalid: int | None) -> None:
        self.state, self.policies, self.max_invalid = state, policies, max_invalid
        self.before = deepcopy(state.table)
        self.counts = Counts()

    def run(self, upstream: list[Record], full: bool) -> Counts:
        state, counts = self.state, self.counts
        since = None if full else state.cursor
        records = [record for record in upstream if since is None or record["changed"] is None or record["changed"] >= since]
        if since is None:
            state.quarantine = set()  # a full read tells anew what is invalid
        counts.read = len(records)
        newest = self._newest(records)
        if self.max_invalid is not None and counts.quarantined > self.max_invalid:
            raise Stopped("TooManyInvalid")
        if since is None and len(newest) < (self.policies.on_absent != "Ignore"):
            raise Stopped("TooFewRows")
        back = {key for key in newest if state.owned.get(key)}
        self._lose_absent(newest, complete=since is None and not counts.quarantined)
        listed = sum(self._write(record, record["id"] in back) for record in newest.values())
        if self.policies.max_changed is not None and self.before and listed + counts.deleted > self.policies.max_changed:
            raise Stopped("TooManyChanged")
        if self.policies.on_absent != "Ignore":
            state.owned |= {key: False for key in newest if key in state.table}
        self._remember(newest)
        cursors = [record["changed"] for record in records if record["changed"] is not None]
        state.cursor = max(cursors if since is None else [since, *cursors], default=None)  # a full read's cursor is what it saw
        self._keep_images()
        return counts

    def _newest(self, records: list[Record]) -> dict[int, Record]:
        """Of valid records with one key the newest: the highest cursor, then the last read. The others are skipped."""
        newest: dict[int, Record] = {}
        for record in records:
            if not _valid(record):
                self.counts.quarantined += 1
                self.state.quarantine.add(repr(sorted(record.items())))
                continue
            other = newest.get(record["id"])
            if other is not None:
                self.counts.skipped += 1
            if other is None or _age(record) >= _age(other):
                newest[record["id"]] = record
        return newest

    def _lose_absent(self, newest: dict[int, Record], *, complete: bool) -> None:
        state, mode = self.state, self.policies.on_absent
        if mode == "Ignore":
            return
        for key in [key for key, marked in state.owned.items() if complete and not marked and key not in newest]:
            row = state.table.get(key)
            if mode == "Delete":
                self.counts.deleted += state.table.pop(key, None) is not None
                del state.owned[key]
            elif row is not None and not row["gone"]:
                self.counts.deleted += 1
                state.owned[key] = row["gone"] = True
            else:
                del state.owned[key]  # a mark of people is theirs

    def _write(self, record: Record, back: bool) -> bool:
        """Whether it is among the changes: what is back is, whether or not somebody unmarked it."""
        counts, row = self.counts, self.state.table.get(record["id"])
        if row is None:
            inserts = self.policies.on_missing == "Insert"
            if inserts:
                self.state.table[record["id"]] = {**{name: record[name] for name in MAPPED}, "note": None, "gone": False}
            counts.inserted += inserts
            counts.skipped += not inserts
            return inserts
        if self.policies.on_existing == "Skip":
            counts.skipped += 1
            return False
        was = dict(row)
        row |= self._values(record, row)
        row["gone"] = row["gone"] and not back
        counts.updated += row != was
        counts.unchanged += row == was
        return back or row != was

    def _values(self, record: Record, row: Row) -> Row:
        """What columns get; those that are not mapped stay as people left them."""
        free = [name for name in COLUMNS if name not in self.policies.protect]
        if self.policies.on_existing != "Merge":
            return {name: record[name] for name in free}
        base = self.state.bases.get(record["id"], dict.fromkeys(COLUMNS))
        written: Row = {}
        for name in free:
            said, edited = record[name] != base.get(name), row[name] != base.get(name)
            if row[name] == record[name] or not said:
                continue
            if not edited or self.policies.resolve == "Source":
                written[name] = record[name]
            elif self.policies.resolve == "Manual":
                self.counts.conflicts += (record["id"], name) not in self.state.conflicts
                self.state.conflicts.add((record["id"], name))
        return written

    def _remember(self, newest: dict[int, Record]) -> None:
        state = self.state
        if self.policies.on_existing != "Merge":
            return
        state.bases |= {key: {name: record[name] for name in COLUMNS} for key, record in newest.items()}
        state.conflicts = {
            (key, name) for key, name in state.conflicts if key in state.table and state.table[key][name] != state.bases[key][name]
        }

    def _keep_images(self) -> None:
        before, after = self.before, self.state.table
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        images = [Image(key, deepcopy(before.get(key)), deepcopy(after.get(key))) for key in keys]
        if images:
            self.state.runs.append(images)


def _valid(record: Record) -> bool:
    return record["id"] is not None and isinstance(record["amount"], int | type(None))


def _age(record: Record) -> int:
    return -1 if record["changed"] is None else record["changed"]
