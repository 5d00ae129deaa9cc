"""Cursors on a real database, where a list of records is not enough: what the database refuses, and clocks that differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from syncsource import ledger
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import Engine

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed varchar(40), note text)"


class Api:
    """Two records that changed at this instant, whatever is asked for."""

    def __init__(self, changed: str, served_at: datetime | None = None) -> None:
        self._changed, self._served_at = changed, served_at
        self.state: str | None = "version 1"
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True

    def pages(self, part: Slice) -> Iterator[Page]:
        """See above."""
        yield Page([{"id": number, "name": "a", "amount": 1, "changed": self._changed} for number in (1, 2)], self._served_at)

    def close(self) -> None:
        """Nothing to give back."""


@pytest.fixture
def engine(place: Place) -> Engine:
    place.sql(CREATE)
    ledger.prepare(place.database.engine)
    kinds = {"id": "integer", "name": "text", "amount": "integer", "changed": "text"}
    return Engine(place, "t", fields=[{"name": name, "type": kind} for name, kind in kinds.items()])


@pytest.mark.parametrize("behind", [timedelta(0), timedelta(days=1)])
def test_cursor_later_than_the_run_s_start(engine: Engine, behind: timedelta) -> None:
    """Capped at the start by our clock or the upstream's, whichever is behind."""
    now = datetime.now(UTC)
    engine.run(Api("2099-01-01T00:00:00.000Z", now - behind))
    kept = engine.kept()
    assert kept is not None
    assert now - behind - timedelta(seconds=1) <= datetime.fromisoformat(kept.text or "") <= datetime.now(UTC) - behind


@pytest.mark.parametrize("stray", ["N/A", ""])
def test_a_stray_text_among_instants_is_not_the_highest_cursor(engine: Engine, stray: str) -> None:
    """An upstream that compares texts would answer with nothing from then on."""
    engine.run(Api(stray))
    engine.run(Api("2026-01-01T00:00:00Z"), full=True)
    engine.run(Api(stray))
    kept = engine.kept()
    assert kept is not None
    assert kept.text == "2026-01-01T00:00:00Z"


def test_cursor_and_data_in_two_transactions(engine: Engine) -> None:
    """What the database refuses takes rows, cursor and state along."""
    if engine.place.kind == "mariadb":
        engine.place.sql("CREATE TRIGGER stop BEFORE INSERT ON syncsource_cursors FOR EACH ROW SIGNAL SQLSTATE '45000'")
    elif engine.place.kind == "postgresql":
        engine.place.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$")
        engine.place.sql("CREATE TRIGGER stop BEFORE INSERT ON syncsource_cursors FOR EACH ROW EXECUTE FUNCTION no()")
    else:
        engine.place.sql("CREATE TRIGGER stop BEFORE INSERT ON syncsource_cursors BEGIN SELECT RAISE(ABORT, 'no'); END")
    outcome = engine.run(Api("2026-01-01T00:00:00Z"))
    assert (outcome.result, engine.kept()) == ("Failed", None), outcome
    assert engine.place.sql("SELECT id FROM t") == []
