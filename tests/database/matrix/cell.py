"""One type of column and one type of field."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

from syncsource.records.batch import Rejected
from syncsource.records.columns import Written
from syncsource.records.converting import from_json
from syncsource.records.rows import Rows
from syncsource.records.types import field_type
from tests.database.conftest import Place, Result
from tests.database.matrix.awkward import AWKWARD
from tests.database.matrix.columns import Kind
from tests.database.matrix.reading import expression, meant, seen, written

_REASONS = ("InvalidValue", "ConstraintViolation", "KeyCollision")
_PLAIN = 10**16
"""Numbers below it are read without a second look."""
Row = tuple[int, Any]


class Cell:
    """All values of a field's type in the table t (id, v), and as keys in the table k (v, n), which has no index: some types could have none.
    ``faults`` fills up."""

    def __init__(self, place: Place, kind: Kind, name: str) -> None:
        self.faults: list[str] = []
        self._place, self._kind, self._type = place, kind, name
        place.sql("DELETE FROM t")
        self._table = place.table("t", create=False, id="integer", v=name)
        self._values = [*AWKWARD[name], *(kind.also if name == "text" else ()), None]
        self._taken: list[Row] = []

    def written_twice(self) -> None:
        """A row is inserted or refused with the reason and its field, and the second time changes nothing."""
        rows = list(enumerate(self._values))
        first = self._place.write(self._table, rows)
        refused = self._refused(first)
        self._expect("the first time", first.counts[:4], (len(rows) - len(refused), 0, 0, 0))
        again = self._place.write(self._table, rows)
        self._expect("again", again.counts[:4], (0, 0, first.inserted, 0))
        self._expect("refused again", sorted(self._refused(again)), sorted(refused))
        self._taken = [row for row in rows if row[0] not in refused]
        self._read(self._taken)
        for number, rejected in refused.items():
            self._refusal(self._values[number], rejected)
        if not self._kind.is_careful(self._type):
            self._really_refused([number for number in refused if self._values[number] not in self._kind.also])

    def as_texts(self) -> None:
        """Numbers that a source sends as texts may go to the database as they are: they change nothing. After :meth:`written_twice`."""
        plain = [(number, value) for number, value in self._taken if value is not None and abs(value) < _PLAIN]
        if not plain:
            return
        column = field_type(self._type).column([f"{value:f}" if isinstance(value, Decimal) else str(value) for _, value in plain])
        self._expect("kept as texts", type(column), Written)
        rows = Rows([[number for number, _ in plain], column])
        self._expect("as texts", self._place.write(self._table, rows).counts, (0, 0, len(plain), 0, 0))

    def in_quarantine(self) -> None:
        """A row that the table does not take stands in quarantine as it came: here, since two rows have its key. Before :meth:`changed`."""
        self._place.sql("DELETE FROM k")
        self._place.sql("INSERT INTO k (n) SELECT id FROM t UNION ALL SELECT id FROM t")
        table = self._place.table("k", ["n"], create=False, v=self._type, n="integer")
        result = self._place.write(table, [(value, number) for number, value in self._taken])
        self._expect("in quarantine", (result.staged, len(result.rejected)), ([], len(self._taken)))
        for (_, value), rejected in zip(self._taken, result.rejected, strict=True):
            kept = from_json(rejected.record)["v"]
            back = kept if kept is None or self._type == "text" else field_type(self._type).convert(kept)
            self._expect(f"{_shown(value)} in quarantine", *(meant(self._kind, self._type, one) for one in (back, value)))

    def changed(self) -> None:
        """Each row gets the value of the one after it: a change is seen even where the database calls both equal."""
        numbers, values = zip(*self._taken, strict=True)
        moved = list(zip(numbers, (*values[1:], values[0]), strict=True))
        self._expect("changed", len(self._refused(self._place.write(self._table, moved))), 0)
        self._read(moved)

    def as_key(self) -> None:
        """Of values that the column takes for one and that are alike the newest stays; those that are not go to quarantine, but for one. None is lost,
        and the second time changes nothing. Before :meth:`changed`."""
        self._place.sql("DELETE FROM k")
        keyed = self._place.table("k", ["v"], create=False, v=self._type, n="integer")
        rows = [(value, number) for number, value in enumerate(self._values)]
        first = self._place.write(keyed, rows)
        refused = self._refused(first, "n")
        self._expect("as keys", first.inserted + first.skipped + len(refused), len(rows))
        self._expect("a key that is null", refused[len(rows) - 1].reason, "MissingKey")
        again = self._place.write(keyed, rows)
        self._expect("as keys again", again.counts, (0, 0, first.inserted, first.skipped, len(first.rejected)))
        for number, found in self._place.sql(f"SELECT n, {expression(self._place.kind, self._kind)} FROM k"):
            self._same(self._values[number], found)
        self._expect("keys that are one", self._place.sql("SELECT a.n, b.n FROM k a JOIN k b ON a.v = b.v AND a.n < b.n"), [])
        newer = "SELECT 1 FROM k WHERE k.v = t.v AND k.n > t.id"
        lost = self._place.sql(f"SELECT id FROM t WHERE v IS NOT NULL AND id NOT IN (SELECT n FROM k) AND NOT EXISTS ({newer})")
        self._expect("lost keys", [_shown(self._values[number]) for (number,) in lost if number not in refused], [])

    def _refused(self, result: Result, name: str = "id") -> dict[int, Rejected]:
        """By the row's number."""
        return {json.loads(one.record)[name]: one for one in [*result.staged, *result.rejected]}

    def _read(self, rows: list[Row]) -> None:
        found = dict(self._place.sql(f"SELECT id, {expression(self._place.kind, self._kind)} FROM t"))
        self._expect("rows", sorted(found), [number for number, _ in rows])
        for number, value in rows:
            self._same(value, found.get(number))

    def _same(self, value: Any, found: Any) -> None:
        self._expect(_shown(value), seen(self._place.kind, self._kind, self._type, found), meant(self._kind, self._type, value))

    def _refusal(self, value: Any, rejected: Rejected) -> None:
        what = f"{_shown(value)}: {rejected.message}"
        self._expect(what, (rejected.reason in _REASONS, rejected.field), (True, "v"))
        if self._type == "text" and self._kind.also.get(value) is not None:
            self._expect(what, "refused", "taken")

    def _really_refused(self, numbers: list[int]) -> None:
        """What is refused, the column would refuse or change if somebody else wrote it."""
        mark = "?" if self._place.kind == "sqlite" else "%s"
        with self._place.plain.connect() as connection:
            for number in numbers:
                with suppress(Exception):
                    connection.exec_driver_sql(
                        f"INSERT INTO t VALUES ({-1 - number}, {mark})", (written(self._place.kind, self._values[number]),)
                    )
        for place, found in self._place.sql(f"SELECT id, {expression(self._place.kind, self._kind)} FROM t WHERE id < 0"):
            value = self._values[-1 - place]
            with suppress(ValueError, TypeError, KeyError, AssertionError, ArithmeticError):
                if seen(self._place.kind, self._kind, self._type, found) == meant(self._kind, self._type, value):
                    self.faults.append(f"a field {self._type}: {_shown(value)} is refused, and the column holds it")
        self._place.sql("DELETE FROM t WHERE id < 0")

    def _expect(self, what: str, found: Any, wanted: Any) -> None:
        if found != wanted:
            self.faults.append(f"a field {self._type}: {what}: {repr(found)[:200]}, not {repr(wanted)[:200]}")


def _shown(value: Any) -> str:
    return repr(value)[:60]
