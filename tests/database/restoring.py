"""A table of three rows that people typed in, runs that write to it, and the way back to what it was."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.engine import backups
from syncsource.engine.plan import Outcome
from syncsource.engine.stopping import Stop
from syncsource.errors import SchemaMismatch
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.test_partitions import Stores

_NAMES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
    "mariadb": "SELECT table_name FROM information_schema.tables WHERE table_schema = database()",
}


def typed_in(place: Place, primary: str = "PRIMARY KEY") -> None:
    """Makes the table t; ``primary`` says what its id is."""
    place.sql(f"CREATE TABLE t (id integer {primary}, name varchar(20), amount integer, changed integer, note varchar(20))")
    place.sql("INSERT INTO t VALUES (1, 'a', 1, 1, 'mine'), (2, NULL, 2, 2, NULL), (3, 'c', 3, 3, '')")


def record(key: int, name: str | None = "a", amount: int | None = 1) -> dict[str, Any]:
    """What the source has of a row."""
    return {"id": key, "name": name, "amount": amount, "changed": key}


def run(engine: Engine, *records: dict[str, Any]) -> Outcome:
    """A run that succeeds."""
    outcome = engine.run(Upstream(records))
    assert outcome.result == "Succeeded", outcome
    return outcome


def rows(place: Place) -> list[tuple[Any, ...]]:
    """What t has, as somebody else sees it."""
    return place.sql("SELECT * FROM t ORDER BY id")


def restore(engine: Engine, backup: str | None = None) -> tuple[int, int, int]:
    """restored, removed, reinserted: as foreseen, and as done."""
    foreseen = backups.foresee(engine.plan(), backup, Stop())
    outcome, done = backups.restore(engine.plan(), foreseen.backup, Stop())
    assert (outcome.result, done) == ("Succeeded", foreseen), outcome
    return foreseen.restored, foreseen.removed, foreseen.reinserted


def restored_to_an_altered_table(place: Place, engine: Engine) -> None:
    """Columns that came and went since are no matter; one of another type is told of before anything is written."""
    run(engine, record(1, "x"))
    place.sql("ALTER TABLE t ADD COLUMN more varchar(20)")
    place.sql("ALTER TABLE t DROP COLUMN note")
    place.sql("UPDATE t SET more = 'kept'")
    assert restore(engine) == (1, 0, 0)
    assert place.sql("SELECT id, name, more FROM t ORDER BY id") == [(1, "a", "kept"), (2, None, "kept"), (3, "c", "kept")]
    place.sql("ALTER TABLE t DROP COLUMN amount")
    place.sql("ALTER TABLE t ADD COLUMN amount varchar(7)")
    with pytest.raises(SchemaMismatch, match="the column 'amount' of 't' is no longer what it was when the backup was made"):
        backups.foresee(engine.plan(), None, Stop())


def shared_by_partitions(engine: Engine) -> None:
    """What three partitions write to, one backup is of."""
    engine.spec["partitions"] = {"values": ["a", "b", "c"], "parallelism": 3}
    outcome = engine.run(Stores(a=[record(1, "x")], b=[record(12)], c=[record(13)]))
    assert (outcome.result, outcome.counts.inserted, outcome.counts.updated) == ("Succeeded", 2, 1)
    [kept] = backups.listed(engine.plan())
    assert kept.rows == 3
    assert restore(engine) == (1, 2, 0)


def tables(place: Place, *beginnings: str) -> list[str]:
    """Names of the database's tables that begin so."""
    return [name for (name,) in place.sql(_NAMES[place.kind]) if name.startswith(beginnings)]
