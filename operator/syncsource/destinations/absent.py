"""Rows whose records the source has no more: known by the keys that it once sent, and deleted or marked after a complete read.

A companion table holds those keys, each with who sent it, as its columns hold them. Rows that no source ever sent are nobody's but people's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from syncsource.destinations.images import Images
from syncsource.destinations.owned import ABSENT, MARKED, MISSED, PARTITION, PRESENT, SOURCE, STATE
from syncsource.destinations.quoting import GONE, NUMBER, STAGE, Joined, quoted
from syncsource.destinations.session import RowRefused, Session
from syncsource.destinations.statements import Span, Statements
from syncsource.destinations.table import Table


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose rows a run writes. ``complete``: everything was read, so that what was not seen is gone from the source. ``claims``: rows are this
    source's from now on; those of files handed over, which nobody reads again, are not."""

    identity: str
    partition: str
    complete: bool
    claims: bool = True

    @property
    def source(self) -> str:
        """The identity as the companion has it: of one length, whatever a database's longest key is."""
        return _short(self.identity)

    @property
    def slice(self) -> str:
        """The partition as the companion has it."""
        return _short(self.partition)


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


class Absent:
    """One transaction's. ``r`` is the companion, ``g`` the rows found.

    Of a source that is read by partitions a key that one of them lacks may stand in another: it is Missed until all of them were read, and
    :meth:`sweep` then finds the rows of those that nobody claimed.
    """

    def __init__(self, session: Session, table: Table, statements: Statements, images: Images, owner: Owner) -> None:
        assert table.owned is not None
        self._session, self._table, self._statements, self._images, self._owner = session, table, statements, images, owner
        self._dialect, self._rows, self._target = session.dialect, quoted(table.owned.name), statements.target
        self._keys = [(quoted(found.name), staged) for found, staged in table.matching]
        self._found = 0
        self._listed = False
        self.done = 0
        """Rows deleted or marked."""
        self.held = ""
        """Why the database holds some; empty where it holds none. Holds nothing of a record."""

    def find(self) -> int:
        """Lists the rows to delete or to mark, in the order of their primary key; returns how many. None where the read was not complete."""
        if not self._owner.complete:
            return 0
        mine = f"{self._mine} AND {PARTITION} = '{self._owner.slice}' AND {STATE} = {PRESENT}"
        state = MISSED if self._owner.partition else ABSENT
        self._session.run(f"UPDATE {self._rows} SET {STATE} = {state} WHERE {mine} AND NOT EXISTS ({self._staged})")
        return 0 if self._owner.partition else self._list()

    def hold(self, why: str) -> None:
        """It is not known after all what the source has no more."""
        if self._owner.complete:
            self._owner, self.held = replace(self._owner, complete=False), why

    def sweep(self) -> int:
        """The same of all partitions, each of which has called :meth:`find`."""
        self._session.run(f"UPDATE {self._rows} SET {STATE} = {ABSENT} WHERE {self._mine} AND {STATE} = {MISSED}")
        return self._list()

    def write(self) -> None:
        """Deletes or marks them. Rows that others refer to, or that a constraint holds, stay."""
        if not self._listed:
            return
        if self._found:
            lock = self._dialect.locks(f"{self._gone} AS g {self._dialect.join} {self._target} AS t ON {self._matched}", f"g.{NUMBER}")
            if lock is not None:
                self._session.value(lock)
            self._halves((1, self._found), self._mark if self._table.marker else self._delete)
        self._settle()

    def claim(self) -> None:
        """The rows staged are this source's and partition's, but for those that were refused or kept out, whose claims stay as they are."""
        if not self._owner.claims:
            return
        accepted = f"{self._staged} AND {self._statements.accepted}"
        if self._table.marker is not None:
            self._session.run(
                f"DELETE FROM {self._rows} WHERE {SOURCE} <> '{self._owner.source}' AND {STATE} = {MARKED} AND EXISTS ({accepted})"
            )
        moved = f"{self._mine} AND ({PARTITION} <> '{self._owner.slice}' OR {STATE} <> {PRESENT})"
        change = f"UPDATE {self._rows} SET {PARTITION} = '{self._owner.slice}', {STATE} = {PRESENT}"
        self._session.run(f"{change} WHERE {moved} AND EXISTS ({accepted})")
        names, values = ", ".join(name for name, _ in self._keys), ", ".join(f"s.{place}" for _, place in self._keys)
        there = " AND ".join(f"r.{name} = s.{place}" for name, place in self._keys)
        staged = f"{self._statements.temporary(STAGE)} AS s JOIN {self._target} AS t ON {self._statements.keys}"
        self._session.run(
            f"INSERT INTO {self._rows} ({SOURCE}, {PARTITION}, {STATE}, {names}) "
            f"SELECT '{self._owner.source}', '{self._owner.slice}', {PRESENT}, {values} FROM {staged} "
            f"WHERE {self._statements.accepted} AND NOT EXISTS (SELECT 1 FROM {self._rows} AS r WHERE r.{self._mine} AND {there})"
        )

    def _list(self) -> int:
        matched = ", ".join(f"t.{name}" for name in self._match)
        # one of a transaction that was rolled back may be there: MySQL keeps it
        self._session.run(f"DROP {self._dialect.temporary}TABLE IF EXISTS {self._gone}")
        self._session.run(
            f"CREATE TEMPORARY TABLE {GONE} {self._dialect.numbered}SELECT row_number() OVER (ORDER BY {matched}) AS {NUMBER}, {matched} "
            f"FROM {self._absent} WHERE {self._wanted}{''.join(f' AND NOT {one}' for one in self._referred)}"
        )
        self._listed, self._found = True, int(self._session.value(f"SELECT count(*) FROM {self._gone}"))
        for referrer, condition in zip(self._table.referrers, self._referred, strict=True):
            held = int(self._session.value(f"SELECT count(*) FROM {self._absent} WHERE {self._wanted} AND {condition}"))
            if held:
                self.held = f"rows of {referrer.name} refer to {held:,} of them ({referrer.constraint})"
        return self._found

    def _halves(self, span: Span, write: Callable[[Span], int]) -> None:
        try:
            with self._session.savepoint():
                done = write(span)
        except RowRefused as refused:
            low, high = span
            if low == high:
                self.held = f"a constraint holds some of them ({refused.refusal.reason})"
                return
            middle = (low + high) // 2
            self._halves((low, middle), write)
            self._halves((middle + 1, high), write)
        else:
            self.done += done

    def _delete(self, span: Span) -> int:
        self._images.of_gone("D", self._matched, _within(span))
        return self._session.run(self._dialect.deleting(self._target, self._match, f"{self._gone} AS g", self._matched, _within(span)))

    def _mark(self, span: Span) -> int:
        assert self._table.marker is not None
        self._images.of_gone("B", self._matched, _within(span))
        assigned = [(self._table.marker.found.name, self._table.marker.value(datetime.now(UTC)))]
        kept, joined = self._table.match, [Joined(f"{self._gone} AS g")]
        done = self._session.run(self._dialect.updating(self._target, assigned, kept, joined, self._matched, _within(span)))
        self._images.of_gone("A", self._matched, _within(span))
        return done

    def _settle(self) -> None:
        """A key whose row is marked or gone is the source's no more; what is held is looked at again the next time."""
        absent, marker = f"{self._mine} AND {STATE} = {ABSENT}", self._table.marker
        there = f"SELECT 1 FROM {self._target} AS t WHERE {self._table.joined('t', self._rows)}"
        if marker is not None and self._found:
            ours = (
                f"SELECT 1 FROM {self._gone} AS g JOIN {self._target} AS t ON {self._matched} WHERE {self._table.joined('t', self._rows)}"
            )
            self._session.run(f"UPDATE {self._rows} SET {STATE} = {MARKED} WHERE {absent} AND EXISTS ({ours} AND {marker.is_set('t')})")
        if self.held:
            unmarked = f" AND NOT ({marker.is_set('t')})" if marker else ""
            self._session.run(f"UPDATE {self._rows} SET {STATE} = {PRESENT} WHERE {absent} AND EXISTS ({there}{unmarked})")
        self._session.run(f"DELETE FROM {self._rows} WHERE {absent}")

    @property
    def _mine(self) -> str:
        return f"{SOURCE} = '{self._owner.source}'"

    @property
    def _gone(self) -> str:
        return self._statements.temporary(GONE)

    @property
    def _match(self) -> list[str]:
        """What finds a row."""
        return [quoted(name) for name in self._table.primary] or [name for name, _ in self._keys]

    @property
    def _matched(self) -> str:
        return " AND ".join(f"t.{name} = g.{name}" for name in self._match)

    @property
    def _staged(self) -> str:
        """A staged row of a key in the companion, which has no alias where it is changed."""
        pairs = " AND ".join(f"{self._rows}.{name} = s.{place}" for name, place in self._keys)
        return f"SELECT 1 FROM {self._statements.temporary(STAGE)} AS s WHERE {pairs}"

    @property
    def _absent(self) -> str:
        return f"{self._rows} AS r JOIN {self._target} AS t ON {self._table.joined('t', 'r')}"

    @property
    def _wanted(self) -> str:
        """Whether a row that is absent is to be seen to: no other source has it, it is not marked already, and no other row has its key."""
        others = f"o.{SOURCE} <> r.{SOURCE} AND o.{STATE} IN ({PRESENT}, {MISSED}) AND {self._table.joined('o', 'r')}"
        marked = f" AND NOT ({self._table.marker.is_set('t')})" if self._table.marker else ""
        several = f"(SELECT count(*) FROM {self._target} AS d WHERE {self._table.joined('d', 'r')}) > 1"
        alone = "" if self._table.key_unique else f" AND NOT {several}"
        return f"r.{self._mine} AND r.{STATE} = {ABSENT} AND NOT EXISTS (SELECT 1 FROM {self._rows} AS o WHERE {others}){marked}{alone}"

    @property
    def _referred(self) -> list[str]:
        """Conditions: rows of another table refer to the row, and would go or change with it."""
        return [one.refers("t") for one in self._table.referrers]


def returned(table: Table) -> str:
    """A condition on a staged row: its row was marked as deleted by us, whoever of us it was."""
    assert table.owned is not None
    keys = " AND ".join(f"m.{quoted(found.name)} = s.{staged}" for found, staged in table.matching)
    return f"EXISTS (SELECT 1 FROM {quoted(table.owned.name)} AS m WHERE m.{STATE} = {MARKED} AND {keys})"


def _within(span: Span) -> str:
    return f"g.{NUMBER} BETWEEN {span[0]} AND {span[1]}"
