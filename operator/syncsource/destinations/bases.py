"""The tables of merging: bases, what the source last said of each row, and conflicts, the columns that wait for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import uuid4

from syncsource.destinations.companions import at_once, find_companion, keep_columns, open_companion
from syncsource.destinations.merging import Merge
from syncsource.destinations.owned import SOURCE
from syncsource.destinations.quoting import Joined, in_a_row, quoted
from syncsource.destinations.session import Session
from syncsource.destinations.statements import Statements
from syncsource.destinations.table import Column, Companion, Layout, Table
from syncsource.destinations.values import instant_text

COLUMN, BATCH, SEQ, SEEN = "syncsource_column", "syncsource_batch", "syncsource_seq", "syncsource_seen"


def open_bases(session: Session, layout: Layout, table: Table) -> Companion:
    """The table of bases. Where the mapping changed, what is known of the other columns stays."""
    keys = [found for found, _ in table.matching]
    found = open_companion(session, layout, "bases", {SOURCE: "varchar(32)"}, keys, index=_index(table), changing=True)
    keep_columns(session, found.name, [column.found for column in table.columns if column.changeable])
    return found


def _index(table: Table) -> list[list[str]]:
    return [[*(found.name for found, _ in table.matching), SOURCE]]


def open_conflicts(session: Session, layout: Layout, table: Table) -> Companion:
    """The table of conflicts."""
    keys = [found for found, _ in table.matching]
    own = {SOURCE: "varchar(32)", COLUMN: "varchar(16)", BATCH: "varchar(8)", SEQ: "bigint", SEEN: "varchar(27)"}
    return open_companion(session, layout, "conflicts", own, keys, index=[[SOURCE, *(key.name for key in keys)]])


def waiting(session: Session, table: Table, source: str) -> int:
    """Conflicts of a source that wait for people."""
    if table.conflicts is None:
        return 0
    return int(session.value(f"SELECT count(*) FROM {quoted(table.conflicts.name)} WHERE {SOURCE} = '{source}'"))


def find_both(session: Session, layout: Layout, table: Table) -> tuple[Companion | None, Companion | None]:
    """The tables of bases and of conflicts, if they are there as a run needs them."""
    keys, others = [found for found, _ in table.matching], [column.found for column in table.columns if column.changeable]
    return find_companion(session, layout, "bases", keys, others), find_companion(session, layout, "conflicts", keys)


@dataclass(slots=True)
class Merging:
    """One transaction's."""

    session: Session
    table: Table
    statements: Statements
    merge: Merge
    filed: int = 0
    """Conflicts that are new."""
    listed: bool = False
    """Whether it is about those staged rows that are among the changes."""

    def end(self, staged: int, news: int | None, *, met: bool, whole: bool, listed: bool) -> None:
        """After all of the ``staged`` rows is written. ``news``: of so many the source says something new; None: of any. ``met``: whether there may be
        conflicts; ``whole``: nearly all rows of the table are changed; ``listed``: what it says anew is among the changes, and they are not all that is staged."""
        self.listed = listed
        if met:
            self.file()
        if news != 0:
            with at_once(self.session, self.table.bases, _index(self.table), staged) as first:
                self.remember(news, first=first, whole=whole)
        self.tidy()

    def file(self) -> None:
        """Enters the conflicts of the staged rows. When their rows are locked, and before :meth:`remember`."""
        manual = self.merge.manual
        if not manual:
            return
        counts = ", ".join(f"sum(CASE WHEN {self.merge.conflicts(place)} THEN 1 ELSE 0 END)" for place in manual)
        [found] = self.session.rows(f"SELECT {counts} FROM {self._met} WHERE {self.statements.accepted}")
        for place, count in zip(manual, found, strict=True):
            self.filed += self._enter(place) if count else 0

    def remember(self, news: int | None, *, first: bool, whole: bool) -> None:
        """What was staged is the base of the next run, but for rows that were refused. ``news``: of how many rows it is known to be new; ``first``: there
        are no bases."""
        bases = self._bases
        names = [(column.name, f"c{place}") for place, column in enumerate(self.table.columns) if column.changeable]
        said = " OR ".join(self.merge.said(place, "t") for place, column in enumerate(self.table.columns) if column.changeable)
        keys = [(quoted(found.name), f"s.{staged}") for found, staged in self.table.matching]
        if names and not first:
            assigned = [(name, f"s.{place}") for name, place in names]
            kept, mine = [found.name for found, _ in self.table.matching if found.moves], f"t.{SOURCE} = '{self.merge.source}'"
            joined = " AND ".join([*(f"t.{name} = {value}" for name, value in keys), mine])
            where = f"({said}) AND {self.statements.accepted}"
            if self.session.run(self.session.dialect.updating(bases, assigned, kept, self._staged, joined, where, whole=whole)) == news:
                return
        mine = " AND ".join([f"b.{SOURCE} = '{self.merge.source}'", *(f"b.{name} = {value}" for name, value in keys)])
        there = "" if first else f"NOT EXISTS (SELECT 1 FROM {bases} AS b WHERE {mine}) AND "
        into = ", ".join([SOURCE, *(name for name, _ in keys), *(quoted(name) for name, _ in names)])
        values = ", ".join([f"'{self.merge.source}'", *(value for _, value in keys), *(f"s.{place}" for _, place in names)])
        self.session.run(
            f"INSERT INTO {bases} ({into}) SELECT {values} FROM {in_a_row(self._staged, self.session.dialect.join)} "
            f"WHERE {there}{self.statements.accepted} AND {keys[0][1]} IS NOT NULL"
        )

    def tidy(self) -> None:
        """Conflicts end by themselves where both sides are alike again, the row is gone, or the column is not merged any more. They are looked for first and then deleted: a DELETE that
        looks into the table would lock its rows on MySQL, in whatever order."""
        today = ", ".join(f"'{marked(column)}'" for column in self.table.columns if column.changeable) or "''"
        self.session.run(f"DELETE FROM {self._conflicts} WHERE {self._mine} AND {COLUMN} NOT IN ({today})")
        filed = [one for (one,) in self.session.rows(f"SELECT DISTINCT {COLUMN} FROM {self._conflicts} WHERE {self._mine}")]
        for column in self.table.columns:
            if marked(column) in filed:
                name = quoted(column.name)
                differs = self.session.dialect.differs(column, f"t.{name}", f"b.{name}")
                target, both = self.statements.target, f"{self.table.joined('t', 'b')} AND b.{SOURCE} = '{self.merge.source}'"
                still = f"SELECT 1 FROM {target} AS t JOIN {self._bases} AS b ON {both} WHERE {self.table.joined('t', 'k')} AND {differs}"
                mine = f"k.{self._mine} AND k.{COLUMN} = '{marked(column)}'"
                over = self.session.rows(f"SELECT k.{BATCH}, k.{SEQ} FROM {self._conflicts} AS k WHERE {mine} AND NOT EXISTS ({still})")
                mark = self.session.dialect.placeholder
                ended = f"DELETE FROM {self._conflicts} WHERE {COLUMN} = '{marked(column)}' AND {BATCH} = {mark} AND {SEQ} = {mark}"
                self.session.run_many(ended, over)

    def _enter(self, place: int) -> int:
        keys = [(quoted(found.name), f"s.{staged}") for found, staged in self.table.matching]
        names, values = ", ".join(name for name, _ in keys), ", ".join(value for _, value in keys)
        column = marked(self.table.columns[place])
        there = " AND ".join(
            [f"k.{SOURCE} = '{self.merge.source}' AND k.{COLUMN} = '{column}'", *(f"k.{name} = {value}" for name, value in keys)]
        )
        filed = f"SELECT 1 FROM {self._conflicts} AS k WHERE {there}"
        return self.session.run(
            f"INSERT INTO {self._conflicts} ({SOURCE}, {COLUMN}, {BATCH}, {SEQ}, {SEEN}, {names}) "
            f"SELECT '{self.merge.source}', '{column}', '{uuid4().hex[:8]}', s.seq, '{instant_text(datetime.now(UTC))}', {values} "
            f"FROM {self._met} WHERE {self.merge.conflicts(place)} AND {self.statements.accepted} AND NOT EXISTS ({filed})"
        )

    @property
    def _met(self) -> str:
        staged = in_a_row(self._staged, self.session.dialect.join)
        return f"{staged} {self.statements.based}JOIN {self.statements.target} AS t ON {self.statements.keys}"

    @property
    def _staged(self) -> list[Joined]:
        return self.statements.staged(listed=self.listed)

    @property
    def _mine(self) -> str:
        return f"{SOURCE} = '{self.merge.source}'"

    @property
    def _bases(self) -> str:
        assert self.table.bases is not None
        return quoted(self.table.bases.name)

    @property
    def _conflicts(self) -> str:
        assert self.table.conflicts is not None
        return quoted(self.table.conflicts.name)


def marked(column: Column) -> str:
    """A column as conflicts name it, whatever signs its name has."""
    return sha256(column.name.encode()).hexdigest()[:16]
