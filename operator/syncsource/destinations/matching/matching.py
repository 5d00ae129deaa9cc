"""Staged records find their rows, strongest key first; what is inserted is found afterwards, so that its primary key is known."""

from __future__ import annotations

from datetime import tzinfo

from syncsource.destinations.images import Images
from syncsource.destinations.matching.batch import DIGESTS, Batch
from syncsource.destinations.matching.known import DIGEST, KEY, Known, sought
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import REFUSED, STAGE, WORTH_STATISTICS, Joined, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.statements import MESSAGE_LIMIT, Statements
from syncsource.destinations.table import Table

_PAIRS, _TAKEN = "syncsource_pairs", "syncsource_taken"


class Matching:
    """Of one run's records. ``s`` is what is staged, ``f`` its digests, ``a`` what is known of rows, ``z`` who took one."""

    def __init__(self, session: Session, table: Table, statements: Statements) -> None:
        self._session, self._table, self._statements, self._dialect = session, table, statements, session.dialect
        self._known = Known(session, table)
        self._batch = Batch(session, table, statements)
        self._names = [quoted(found.name) for found in table.identity]
        self._stage, self._digests = statements.temporary(STAGE), statements.temporary(DIGESTS)
        self._settled = self._inserted = False
        self._staged = 0

    def borrow(self) -> None:
        """See :meth:`Known.borrow`."""
        self._known.borrow()

    @property
    def kept_out(self) -> int:
        """Records that another table has, set aside by :meth:`settle`."""
        return self._batch.kept_out

    @property
    def refused(self) -> int:
        """Records that have no key of their own, set aside by :meth:`settle`."""
        return self._batch.refused

    def settle(self, staged: int, *, cursors: bool, zone: tzinfo) -> int:
        """Before the transaction, once: returns how many rows went since there are newer ones of their records."""
        if self._settled:
            return 0
        self._settled, self._staged = True, staged
        self._batch.settle(staged, cursors=cursors, zone=zone)
        return self._batch.skipped

    def find(self) -> int:
        """Stages the primary key of each record's row. Returns how many records find several."""
        self._inserted = False
        self._known.look()
        self._known.enter()
        several = sum(self._take(rank) for rank in range(len(self._table.candidates)))
        self._plan_anew()
        return several

    def find_inserted(self, images: Images) -> None:
        """The same of the rows that were inserted since, which are entered among the images. (SQLite would rather look for ``best`` than for digests,
        were it a mere column.)"""
        self._inserted = True
        self._known.look()
        for statement in self._dialect.indexes(self._digests, sought(self._table)):
            self._session.run(statement)
        joined = f"{self._known.fresh} JOIN {self._digests} AS f ON f.d%d = w.d%d JOIN {self._stage} AS s ON s.seq = f.seq"
        for (rank,) in self._session.rows(f"SELECT DISTINCT best FROM {self._digests}"):
            alike = f"SELECT f.seq, {_listed('g', self._names)}, count(*) OVER (PARTITION BY f.seq) AS alike FROM {joined % (rank, rank)}"
            found = f"{alike} WHERE f.best + 0 = {rank} AND s.p0 IS NULL AND {self._statements.accepted}"
            self._take_over(f"SELECT x.seq, {_listed('x', self._names)} FROM ({found}) AS x WHERE x.alike = 1")
            images.of_found(f"{self._taken} AS z", "z.seq", self._joined("t", "z"))
        self._plan_anew()

    def forget_lost(self) -> None:
        """Of rows that people deleted meanwhile nothing is staged any more."""
        joined = f"{self._stage} AS s LEFT JOIN {self._statements.target} AS t ON {self._statements.keys}"
        self._known.replace(_PAIRS, f"SELECT s.seq FROM {joined} WHERE s.p0 IS NOT NULL AND t.{self._names[0]} IS NULL")
        nothing = [(f"p{place}", "NULL") for place in range(len(self._names))]
        self._session.run(self._dialect.updating(self._stage, nothing, [], [Joined(f"{self._pairs} AS z")], "t.seq = z.seq", "1 = 1"))

    def end(self, source: str | None) -> None:
        """After all is written. ``source``: who says what is staged; None: nobody whose word is kept."""
        self._leave_older()
        if source is not None:
            with self._known.filling(self._staged) as first:
                said = sum(self._say(rank, source, first=first) for rank in range(len(self._table.candidates)))
            self._known.grown(said)
        if self._inserted:
            self._known.enter()

    def _take(self, rank: int) -> int:
        """Records that have found no row yet take those that have the same digest, and that none has taken."""
        pairs = (
            f"SELECT DISTINCT f.seq, {_listed('a', self._names)} FROM {self._digests} AS f JOIN {self._stage} AS s ON s.seq = f.seq "
            f"JOIN {self._known.name} AS a ON a.{DIGEST} = f.d{rank} JOIN {self._statements.target} AS t ON {self._joined('t', 'a')} "
            f"WHERE s.p0 IS NULL{self._veto(rank)}"
        )
        self._known.replace(_PAIRS, pairs)
        if rank and self._session.value(f"SELECT 1 FROM {self._pairs} LIMIT 1") is not None:
            self._leave_taken()
        several = self._refuse_several(rank)
        names = ", ".join(self._names)
        self._take_over(f"SELECT min(seq) AS seq, {names} FROM {self._pairs} GROUP BY {names}")
        return several

    def _leave_taken(self) -> None:
        """Rows that stronger keys found are not looked for by weaker ones."""
        for statement in self._dialect.staged(self._table, sought=True):
            self._session.run(statement)
        taken = " AND ".join(f"s.p{place} = {self._pairs}.{name}" for place, name in enumerate(self._names))
        self._session.run(f"DELETE FROM {self._pairs} WHERE EXISTS (SELECT 1 FROM {self._stage} AS s WHERE {taken})")

    def _plan_anew(self) -> None:
        """Joins by what was just found: they would be planned for rows of which nothing is known."""
        if self._staged >= WORTH_STATISTICS:
            for statement in self._dialect.analyzed(self._stage):
                self._session.run(statement)

    def _veto(self, rank: int) -> str:
        """Of a record and a row that have both a stronger key: it is not the same, or they would have found each other."""
        if not rank:
            return ""
        stronger = [f"(x.{KEY} = '{one.id}' AND f.d{place} IS NOT NULL)" for place, one in enumerate(self._table.candidates[:rank])]
        return f" AND NOT EXISTS (SELECT 1 FROM {self._known.name} AS x WHERE {self._joined('x', 'a')} AND ({' OR '.join(stronger)}))"

    def _refuse_several(self, rank: int) -> int:
        refused, pairs = self._statements.temporary(REFUSED), self._pairs
        fields = ", ".join(self._table.columns[place].name for place in self._table.candidates[rank].places)
        told = f"the key ({fields}) finds more than one row of the table"[:MESSAGE_LIMIT].replace("'", "''")
        several = f"SELECT seq, 'AmbiguousKey', '{told}', NULL FROM {pairs} GROUP BY seq HAVING count(*) > 1"
        done = self._session.run(f"INSERT INTO {refused} {several}")
        if done:
            for table in (pairs, self._digests):
                self._session.run(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {refused})")
        return done

    def _take_over(self, taken: str) -> None:
        self._known.replace(_TAKEN, taken)
        assigned = [(f"p{place}", f"z.{name}") for place, name in enumerate(self._names)]
        joined = [Joined(f"{self._taken} AS z")]
        self._session.run(self._dialect.updating(self._stage, assigned, [], joined, "t.seq = z.seq", "1 = 1"))

    def _say(self, rank: int, source: str, *, first: bool) -> int:
        """Where a source says of a row what it did not say before, this is remembered. What it said of a key that it does not say any more stays known.
        ``first``: nobody said anything of any row. Returns how many rows."""
        key = self._table.candidates[rank].id
        known, mine = f"{self._known.name} AS k", f"k.{SOURCE} = '{source}' AND k.{KEY} = '{key}' AND {self._found('k')}"
        staged = f"{self._stage} AS s JOIN {self._digests} AS f ON f.seq = s.seq"
        where = f"s.p0 IS NOT NULL AND f.d{rank} IS NOT NULL AND {self._statements.accepted}"
        said = f"f.d{rank}, {', '.join(f's.p{place}' for place in range(len(self._names)))}"
        if first:
            return self._known.remember(source, key, f"{said} FROM {staged} WHERE {where}")
        news = f"{staged} WHERE {where} AND NOT EXISTS (SELECT 1 FROM {known} WHERE {mine} AND k.{DIGEST} = f.d{rank})"
        if not self._session.value(f"SELECT count(*) FROM {news}"):
            return 0
        self._known.replace(
            _PAIRS,
            f"SELECT k.{DIGEST}, {_listed('k', self._names)} FROM {staged} JOIN {known} ON {mine} WHERE {where} AND k.{DIGEST} <> f.d{rank}",
        )
        if self._session.value(f"SELECT 1 FROM {self._pairs} LIMIT 1") is not None:
            self._known.forget(source, key, self._pairs)
        return self._known.remember(source, key, f"{said} FROM {news}")

    def _leave_older(self) -> None:
        """What the row is newer than was not written, and is not what the source says last."""
        newer = self._statements.newer
        if newer is None:
            return
        joined = f"{self._stage} AS s JOIN {self._statements.target} AS t ON {self._statements.keys}"
        self._known.replace(_PAIRS, f"SELECT s.seq FROM {joined} WHERE NOT {newer}")
        self._session.run(f"DELETE FROM {self._digests} WHERE seq IN (SELECT seq FROM {self._pairs})")

    @property
    def _taken(self) -> str:
        return self._known.temporary(_TAKEN)

    @property
    def _pairs(self) -> str:
        return self._known.temporary(_PAIRS)

    def _joined(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in self._names)

    def _found(self, alias: str) -> str:
        return " AND ".join(f"{alias}.{name} = s.p{place}" for place, name in enumerate(self._names))


def _listed(alias: str, names: list[str]) -> str:
    return ", ".join(f"{alias}.{name}" for name in names)
