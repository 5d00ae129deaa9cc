"""What is staged, by its keys: records without one, records of one key, and records of which it can't be told which others they are."""

from __future__ import annotations

from datetime import tzinfo
from itertools import islice

from syncsource.destinations.duplicates import PART, older
from syncsource.destinations.matching.candidates import readable
from syncsource.destinations.matching.known import digest_columns, load_digests, sought
from syncsource.destinations.quoting import ASIDE, REFUSED, STAGE, WORTH_STATISTICS
from syncsource.destinations.session import Session
from syncsource.destinations.sieve import Sieve
from syncsource.destinations.statements import MESSAGE_LIMIT, Statements
from syncsource.destinations.table import Table

DIGESTS = "syncsource_digests"
"""seq of staged rows, the strongest key that is complete, and each key's digest."""
_PART = 20_000


def digests_table(table: Table, statements: Statements) -> str:
    """Creates it, empty."""
    return f"CREATE TEMPORARY TABLE {DIGESTS} {statements.dialect.work_table(digest_columns(table), sought(table))}"


class Batch:
    """Before any row is looked for. ``f`` is the table of digests, ``s`` what is staged."""

    def __init__(self, session: Session, table: Table, statements: Statements) -> None:
        self._session, self._table, self._statements = session, table, statements
        self._digests = statements.temporary(DIGESTS)
        self.skipped = self.refused = self.kept_out = 0
        """Older rows of a key, which are gone; rows without a key of their own; rows that another table has."""

    def settle(self, staged: int, *, cursors: bool, zone: tzinfo) -> None:
        """Leaves one row of each record in the staging table: of records that are the same the newest, see :func:`drop_older`."""
        self._fill(staged)
        if self._table.skip_if:
            self.kept_out = self._session.run(Sieve(self._statements).skip())
            self._leave_refused()
        self._refuse(f"SELECT seq FROM {self._digests} WHERE best IS NULL", "MissingKey", f"no key is complete: {self._named}")
        best = f"coalesce({', '.join(f'd{rank}' for rank in range(len(self._table.candidates)))}, '')"
        groups = f"PARTITION BY {best}"
        if self._repeated(best):
            alike = f"SELECT seq, min(seq) OVER ({groups}) AS eldest, count(*) OVER ({groups}) AS alike FROM {self._digests}"
            self._drop(alike, "alike > 1", cursors, zone)
        for rank in range(1, len(self._table.candidates)):
            self._weaker(rank)
        for name in (STAGE, DIGESTS) if staged >= WORTH_STATISTICS else ():
            for statement in self._session.dialect.analyzed(self._statements.temporary(name)):
                self._session.run(statement)

    def _weaker(self, rank: int) -> None:
        """A record that has no stronger key is the one that has it and the same weaker one, if there is one alone: that one stays, since by its
        stronger key it finds a row that the other would not."""
        if not self._repeated(f"d{rank}"):
            return
        groups = f"PARTITION BY d{rank}"
        found = (
            f"SELECT seq, best, sum(CASE WHEN best < {rank} THEN 1 ELSE 0 END) OVER ({groups}) AS strong "
            f"FROM {self._digests} WHERE d{rank} IS NOT NULL AND best <= {rank}"
        )
        several = f"SELECT seq FROM ({found}) found WHERE best = {rank} AND strong > 1"
        self._refuse(several, "AmbiguousKey", f"the key ({self._fields(rank)}) is that of several other records of the run")
        losers = f"SELECT seq FROM ({found}) found WHERE best = {rank} AND strong = 1"
        if self._session.run(f"INSERT INTO {self._statements.temporary(ASIDE)} {losers}"):
            self._drop_losers()

    def _repeated(self, digest: str) -> bool:
        alike = f"SELECT 1 FROM {self._digests} WHERE {digest} IS NOT NULL GROUP BY {digest} HAVING count(*) > 1 LIMIT 1"
        return self._session.value(alike) is not None

    def _fill(self, staged: int) -> None:
        if staged > _PART:
            for statement in self._session.dialect.bisecting():
                self._session.run(statement)
        columns = ", ".join(readable(self._session.dialect, self._table.columns[place], f"s.c{place}") for place in self._table.telling)
        page, after = f"SELECT s.seq, {columns} FROM {self._statements.temporary(STAGE)} AS s WHERE s.seq > ", -1
        while found := self._session.rows(f"{page}{after} ORDER BY s.seq LIMIT {_PART}"):
            load_digests(self._session, self._table, self._digests, found)
            after = found[-1][0]

    def _refuse(self, query: str, reason: str, message: str) -> None:
        refused = self._statements.temporary(REFUSED)
        told = message[:MESSAGE_LIMIT].replace("'", "''")
        done = self._session.run(f"INSERT INTO {refused} SELECT seq, '{reason}', '{told}', NULL FROM ({query}) wanting")
        if done:
            self._leave_refused()
        self.refused += done

    def _leave_refused(self) -> None:
        self._session.run(f"DELETE FROM {self._digests} WHERE seq IN (SELECT seq FROM {self._statements.temporary(REFUSED)})")

    def _drop(self, groups: str, among: str, cursors: bool, zone: tzinfo) -> None:
        """``groups``: seq, and the ``eldest`` of its group; of those rows ``among`` which one stays."""
        statements, cursor = self._statements, 's."cursor"' if cursors else "NULL"
        joined = f"({groups}) ranked JOIN {statements.temporary(STAGE)} AS s ON s.seq = ranked.seq"
        rivals = self._session.rows(
            f"SELECT ranked.eldest, ranked.seq, {cursor} FROM {joined} WHERE {among} ORDER BY ranked.eldest, ranked.seq"
        )
        losers = older(iter(rivals), zone)
        while part := list(islice(losers, PART)):
            self._session.run_many(statements.lose(), part)
        if rivals:
            self._drop_losers()

    def _drop_losers(self) -> None:
        aside = self._statements.temporary(ASIDE)
        self.skipped += self._session.run(self._statements.drop_losers())
        self._session.run(f"DELETE FROM {self._digests} WHERE seq IN (SELECT seq FROM {aside})")
        self._session.run(f"DELETE FROM {aside}")

    def _fields(self, rank: int) -> str:
        return ", ".join(self._table.columns[place].name for place in self._table.candidates[rank].places)

    @property
    def _named(self) -> str:
        return "; ".join(self._fields(rank) for rank in range(len(self._table.candidates)))
