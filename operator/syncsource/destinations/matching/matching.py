"""Staged records find their rows, strongest key first; what is inserted is found afterwards, so that its primary key is known."""

from __future__ import annotations

from datetime import tzinfo

from syncsource.destinations.images import Images
from syncsource.destinations.matching.batch import DIGESTS, Batch
from syncsource.destinations.matching.known import DIGEST, KEY, Known
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import REFUSED, STAGE, Joined, quoted
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
        self._settled = False

    def borrow(self) -> None:
        """See :meth:`Known.borrow`."""
        self._known.borrow()

    @property
    def refused(self) -> int:
        """Records that have no key of their own, set aside by :meth:`settle`."""
        return self._batch.refused

    def settle(self, staged: int, *, cursors: bool, zone: tzinfo) -> int:
        """Before the transaction, once: returns how many rows went since there are newer ones of their records."""
        if self._settled:
            return 0
        self._settled = True
        self._batch.settle(staged, cursors=cursors, zone=zone)
        return self._batch.skipped

    def find(self) -> int:
        """Stages the primary key of each record's row. Returns how many records find several."""
        self._known.refresh()
        return sum(self._take(rank) for rank in range(len(self._table.candidates)))

    def find_inserted(self, images: Images) -> None:
        """The same of the rows that were inserted since, which are entered among the images."""
        self._known.refresh()
        for rank, candidate in enumerate(self._table.candidates):
            pairs = (
                f"SELECT f.seq, {self._listed('a')} FROM {self._digests} AS f JOIN {self._stage} AS s ON s.seq = f.seq "
                f"JOIN {self._known.name} AS a ON a.{DIGEST} = f.d{rank} AND a.{KEY} = '{candidate.id}' AND a.{SOURCE} = '' "
                f"JOIN {self._known.stale} AS g ON {self._joined('g', 'a')} WHERE f.best = {rank} AND s.p0 IS NULL AND {self._statements.accepted}"
            )
            self._known.replace(_PAIRS, pairs)
            alone = f"SELECT seq FROM {self._pairs} GROUP BY seq HAVING count(*) = 1"
            self._enter(f"SELECT seq, {self._listed('w')} FROM {self._pairs} AS w WHERE seq IN ({alone})")
            images.of_found(f"{self._known.temporary(_TAKEN)} AS z", "z.seq", self._joined("t", "z"))

    def forget_lost(self) -> None:
        """Of rows that people deleted meanwhile nothing is staged any more."""
        joined = f"{self._stage} AS s LEFT JOIN {self._statements.target} AS t ON {self._statements.keys}"
        self._known.replace(_TAKEN, f"SELECT s.seq FROM {joined} WHERE s.p0 IS NOT NULL AND t.{self._names[0]} IS NULL")
        nothing = [(f"p{place}", "NULL") for place in range(len(self._names))]
        self._session.run(
            self._dialect.updating(self._stage, nothing, [], [Joined(f"{self._known.temporary(_TAKEN)} AS z")], "t.seq = z.seq", "1 = 1")
        )

    def remember(self, source: str) -> None:
        """What the source says of the keys of its records' rows: what it said before of a key that it does not say any more stays known."""
        staged = f"{self._stage} AS s JOIN {self._digests} AS f ON f.seq = s.seq"
        names, found = ", ".join(self._names), ", ".join(f"s.p{place}" for place in range(len(self._names)))
        for rank, candidate in enumerate(self._table.candidates):
            mine = f"{SOURCE} = '{source}' AND %s.{KEY} = '{candidate.id}'"
            where = f"t.{mine % 't'} AND t.{DIGEST} <> f.d{rank} AND {self._statements.accepted}"
            self._session.run(self._dialect.deleting(self._known.name, [SOURCE, KEY, *self._names], staged, self._found("t"), where))
            there = f"SELECT 1 FROM {self._known.name} AS k WHERE k.{mine % 'k'} AND {self._found('k')}"
            self._session.run(
                f"INSERT INTO {self._known.name} ({SOURCE}, {KEY}, {DIGEST}, {names}) SELECT '{source}', '{candidate.id}', f.d{rank}, {found} "
                f"FROM {staged} WHERE s.p0 IS NOT NULL AND f.d{rank} IS NOT NULL AND {self._statements.accepted} AND NOT EXISTS ({there})"
            )

    def _take(self, rank: int) -> int:
        """Records that have found no row yet take those that have the same digest, and that none has taken."""
        candidate, veto = self._table.candidates[rank], self._veto(rank)
        pairs = (
            f"SELECT DISTINCT f.seq, {self._listed('a')} FROM {self._digests} AS f JOIN {self._stage} AS s ON s.seq = f.seq "
            f"JOIN {self._known.name} AS a ON a.{DIGEST} = f.d{rank} AND a.{KEY} = '{candidate.id}' WHERE s.p0 IS NULL{veto}"
        )
        self._known.replace(
            _PAIRS, f"SELECT * FROM ({pairs}) AS w WHERE NOT EXISTS (SELECT 1 FROM {self._stage} AS s WHERE {self._found('w')})"
        )
        several = self._refuse_several(rank)
        self._enter(f"SELECT min(seq) AS seq, {', '.join(self._names)} FROM {self._pairs} GROUP BY {', '.join(self._names)}")
        return several

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
        done = self._session.run(
            f"INSERT INTO {refused} SELECT seq, 'AmbiguousKey', '{told}', NULL FROM {pairs} GROUP BY seq HAVING count(*) > 1"
        )
        if done:
            for table in (pairs, self._digests):
                self._session.run(f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {refused})")
        return done

    def _enter(self, taken: str) -> None:
        self._known.replace(_TAKEN, taken)
        assigned = [(f"p{place}", f"z.{name}") for place, name in enumerate(self._names)]
        joined = [Joined(f"{self._known.temporary(_TAKEN)} AS z")]
        self._session.run(self._dialect.updating(self._stage, assigned, [], joined, "t.seq = z.seq", "1 = 1"))

    @property
    def _pairs(self) -> str:
        return self._known.temporary(_PAIRS)

    def _listed(self, alias: str) -> str:
        return ", ".join(f"{alias}.{name}" for name in self._names)

    def _joined(self, one: str, other: str) -> str:
        return " AND ".join(f"{one}.{name} = {other}.{name}" for name in self._names)

    def _found(self, alias: str) -> str:
        return " AND ".join(f"{alias}.{name} = s.p{place}" for place, name in enumerate(self._names))
