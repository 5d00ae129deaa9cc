"""Each type of column with each type of field and every awkward value: written twice, the second time changes nothing, and what somebody else
reads is what went in, or the value was refused. As keys, too."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from syncsource.errors import SchemaMismatch
from tests.database.conftest import Place
from tests.database.matrix.awkward import AWKWARD
from tests.database.matrix.cell import Cell
from tests.database.matrix.columns import MARIADB, POSTGRESQL, SQLITE, Kind

_SHOWN = 12
_EACH = 1 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 3
"""One type of column of so many is tried."""
_KINDS = {"postgresql": POSTGRESQL, "mariadb": MARIADB, "sqlite": SQLITE}
KINDS = [pytest.param(database, kind, id=f"{database}-{kind.declared}") for database, kinds in _KINDS.items() for kind in kinds[::_EACH]]


def _place(request: pytest.FixtureRequest, database: str, kind: Kind) -> Place:
    place: Place = request.getfixturevalue(database)
    if kind.before:
        try:
            place.sql(kind.before)
        except Exception as error:
            pytest.skip(f"the server has it not: {error}".partition("\n")[0])
    place.sql(f"CREATE TABLE t (id integer PRIMARY KEY, v {kind.declared})")
    place.sql(f"CREATE TABLE k (v {kind.declared}, n integer)")
    return place


def _taken(place: Place) -> set[str]:
    """Types of fields that the column takes."""
    with place.database.engine.connect() as connection:
        layout = place.database.dialect.layout(connection.connection.driver_connection, None, "t")
    assert layout is not None
    return {one.partition("(")[0] for one in AWKWARD if place.database.dialect.codec(layout.columns[1], one, False) is not None}


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of the process has no say."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.soak
@pytest.mark.parametrize(("database", "kind"), KINDS)
def test_written_twice_and_read_back(request: pytest.FixtureRequest, database: str, kind: Kind) -> None:
    place = _place(request, database, kind)
    assert _taken(place) == set(kind.takes.split())
    faults: list[str] = []
    for field_type in filter(kind.tries, AWKWARD):
        cell = Cell(place, kind, field_type)
        cell.written_twice()
        if field_type.startswith(("integer", "decimal")):
            cell.as_texts()
        if kind.is_key(field_type):
            cell.as_key()
        cell.in_quarantine()
        cell.changed()
        faults += cell.faults
    assert not faults, "\n".join([f"{database}, a column {kind.declared!r}: {len(faults)} faults", *faults[:_SHOWN]])
    if not kind.takes:
        with pytest.raises(SchemaMismatch, match="columns of this type can't be written"):
            place.table("t", create=False, id="integer", v="text")
