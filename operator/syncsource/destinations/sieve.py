"""Which staged rows are out before any is compared: another table has them, or it can't be told which row they are."""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.destinations.dialect import target
from syncsource.destinations.quoting import REFUSED, STAGE, quoted
from syncsource.destinations.statements import MESSAGE_LIMIT, Statements
from syncsource.destinations.table import Elsewhere


@dataclass(frozen=True, slots=True)
class Sieve:
    """Statements that take them out. ``t`` is the table, ``s`` its staging table, ``o`` another table."""

    statements: Statements

    def ambiguous(self) -> str:
        """Refuses the rows whose key finds more than one row."""
        listed = ", ".join(column.name for column in self.statements.table.columns if column.key)
        message = f"the key ({listed}) finds more than one row of the table"[:MESSAGE_LIMIT].replace("'", "''")
        return (
            f"INSERT INTO {self.statements.temporary(REFUSED)} SELECT s.seq, 'AmbiguousKey', '{message}', NULL "
            f"FROM {self.statements.temporary(STAGE)} AS s JOIN {self.statements.target} AS t ON {self.statements.keys} WHERE NOT {self._elsewhere} GROUP BY s.seq HAVING count(*) > 1"
        )

    @property
    def folds(self) -> bool:
        """Whether the key's columns call different keys equal."""
        return any(column.key and self.statements.dialect.exact(column, "x") for column in self.statements.table.columns)

    def collisions(self) -> str:
        """Refuses the rows whose key is another row's only as the columns compare it: the table's row has the key, or the first one staged. Those whose
        key finds more than one row are left out."""
        keys = [(place, column) for place, column in enumerate(self.statements.table.columns) if column.key]
        other = " OR ".join(self.statements.dialect.differs(column, f"t.{quoted(column.name)}", f"s.c{place}") for place, column in keys)
        another = f"CASE WHEN NOT {self.statements.lacking} AND ({other}) THEN 1 ELSE 0 END"
        partition = ", ".join(f"s.c{place}" for place, _ in keys)
        listed = ", ".join(column.name for _, column in keys)
        message = f"the column's collation calls its key ({listed}) equal to that of another row: normalize it, or change the collation"
        ranked = (
            f"SELECT s.seq AS seq, {another} AS other, count(*) OVER (PARTITION BY s.seq) AS matches, "
            f"row_number() OVER (PARTITION BY {partition} ORDER BY {another}, s.seq) AS place "
            f"FROM {self.statements.temporary(STAGE)} AS s LEFT JOIN {self.statements.target} AS t ON {self.statements.keys} WHERE NOT {self._elsewhere}"
        )
        told = message[:MESSAGE_LIMIT].replace("'", "''")
        return (
            f"INSERT INTO {self.statements.temporary(REFUSED)} SELECT seq, 'KeyCollision', '{told}', NULL FROM ({ranked}) ranked "
            "WHERE matches = 1 AND (place > 1 OR other = 1)"
        )

    def skip(self) -> str:
        """Takes out the rows that another table has: they are refused without a reason. Before any other is."""
        staged = f"{self.statements.temporary(STAGE)} AS s"
        return f"INSERT INTO {self.statements.temporary(REFUSED)} SELECT s.seq, NULL, NULL, NULL FROM {staged} WHERE {self._elsewhere}"

    def skipped(self) -> str:
        """seq of the rows that :meth:`skip` took out."""
        return f"SELECT seq FROM {self.statements.temporary(REFUSED)} WHERE reason IS NULL"

    @property
    def _elsewhere(self) -> str:
        """Whether another table has the staged row."""
        return f"({' OR '.join(map(self._has, self.statements.table.skip_if)) or '1 = 0'})"

    def _has(self, elsewhere: Elsewhere) -> str:
        pairs = [f"o.{quoted(name)} = s.c{place}" for name, place in elsewhere.pairs]
        return (
            f"EXISTS (SELECT 1 FROM {target(self.statements.dialect, elsewhere.schema, elsewhere.name)} AS o WHERE {' AND '.join(pairs)})"
        )
