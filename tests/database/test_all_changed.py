"""Where a sample says that all staged rows will be changed they are, without a comparison before: whether or not it was right."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.destinations import applying
from syncsource.destinations.session import Session
from syncsource.engine import conflicts, undoing
from syncsource.engine.plan import Counts
from syncsource.engine.stopping import Stop
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream
from tests.database.restoring import record, rows, run, typed_in


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch, place: Place) -> list[str]:
    """The comparisons of runs, of which the first two rows are looked at before."""
    monkeypatch.setattr(applying, "SAMPLED", 3)
    monkeypatch.setattr(applying, "SAMPLE", 2)
    monkeypatch.setattr(applying.random, "sample", lambda population, many: population[:many])
    found: list[str] = []
    plain = Session.run

    def told(self: Session, statement: str, *values: Any) -> int:
        found.extend([statement] * ("_changes SELECT" in statement))
        return plain(self, statement, *values)

    monkeypatch.setattr(Session, "run", told)
    return found


def _engine(place: Place, **spec: Any) -> Engine:
    typed_in(place)
    return Engine(place, "t", **{"incremental": None, **spec})


def _undo(engine: Engine, run: str) -> tuple[int, int, int]:
    _, done = undoing.undo(engine.plan(), run, Stop())
    return done.restored, done.removed, done.left


KEPT = {"safety": {"undo": {"keep": "1d"}}}


@pytest.mark.parametrize("safety", [{}, KEPT])
def test_all_are(place: Place, compared: list[str], safety: dict[str, Any]) -> None:
    engine = _engine(place, **safety)
    before = rows(place)
    done = run(engine, record(1, "x"), record(2, "x"), record(3, "x"))
    assert (done.counts, compared) == (Counts(read=3, updated=3), [])
    assert [row[1:] for row in rows(place)] == [("x", 1, 1, "mine"), ("x", 1, 2, None), ("x", 1, 3, "")]
    if safety:
        assert _undo(engine, done.run) == (3, 0, 0)
        assert rows(place) == before


@pytest.mark.parametrize("safety", [{}, KEPT])
def test_others_are_new_or_unchanged(place: Place, compared: list[str], safety: dict[str, Any]) -> None:
    engine = _engine(place, **safety)
    before = rows(place)
    done = run(engine, record(1, "x"), record(2, "x"), record(3, "c", 3), record(4), record(5))
    assert (done.counts, len(compared)) == (Counts(read=5, inserted=2, updated=2, unchanged=1), 1)
    assert [row[:2] for row in rows(place)] == [(1, "x"), (2, "x"), (3, "c"), (4, "a"), (5, "a")]
    if safety:
        assert _undo(engine, done.run) == (2, 2, 0)
        assert rows(place) == before


def test_one_is_refused(place: Place, compared: list[str]) -> None:
    engine = _engine(place, **KEPT)
    place.sql("CREATE UNIQUE INDEX one ON t (name)")
    done = run(engine, record(1, "x"), record(2, "y"), record(3, "x"))
    assert (done.counts, len(compared)) == (Counts(read=3, updated=2, quarantined=1), 1)
    assert [row[1] for row in rows(place)] == ["x", "y", "c"]
    assert _undo(engine, done.run) == (2, 0, 0)


def test_more_than_may_be_are_told_of_exactly(place: Place, compared: list[str]) -> None:
    engine = _engine(place, safety={"maxChanged": 2})
    before = rows(place)
    outcome = engine.run(Upstream([record(1, "x"), record(2, "x"), record(3, "c", 3), record(4), record(5)]))
    assert outcome.reason == "TooManyChanged"
    assert "4 rows would be inserted, updated or deleted in a table of 3" in outcome.message
    assert rows(place) == before
    assert run(engine, record(1, "x"), record(2, "x"), record(3, "c", 3)).counts.updated == 2


def test_fewer_than_foreseen_are_within_the_limit(place: Place, compared: list[str]) -> None:
    engine = _engine(place, safety={"maxChanged": 4})
    done = run(engine, record(1, "x"), record(2, "x"), record(3, "c", 3), record(4), record(5))
    assert (done.counts, len(compared)) == (Counts(read=5, inserted=2, updated=2, unchanged=1), 1)


def test_columns_of_people_are_merged(place: Place, compared: list[str]) -> None:
    engine = _engine(place, write={"onExisting": "Merge"}, **KEPT)
    place.sql("DELETE FROM t")
    run(engine, *(record(key, "a") for key in (1, 2, 3)))
    assert run(engine, *(record(key, "a", 7) for key in (1, 2, 3))).counts == Counts(read=3, updated=3)
    place.sql("UPDATE t SET name = 'mine' WHERE id = 3")
    del compared[:]
    done = run(engine, *(record(key, "b", 8) for key in (1, 2, 3)))
    assert (done.counts, compared) == (Counts(read=3, updated=3, conflicts=1), [])
    assert [row[1:3] for row in rows(place)] == [("b", 8), ("b", 8), ("mine", 8)]
    assert [(one.source, one.destination) for one in conflicts.look(engine.plan(), 9)[0]] == [("b", "mine")]
    assert run(engine, *(record(key, "b", 8) for key in (1, 2, 3))).counts == Counts(read=3, unchanged=3)
    assert _undo(engine, done.run) == (3, 0, 0)
    assert [row[1:3] for row in rows(place)] == [("a", 7), ("a", 7), ("mine", 7)]


def test_what_the_source_has_no_more_goes_first(place: Place, compared: list[str]) -> None:
    """Whose unique value a changed row gets."""
    engine = _engine(place, write={"onAbsent": "Delete"})
    run(engine, *(record(key, f"n{key}") for key in (1, 2, 3, 4)))
    place.sql("CREATE UNIQUE INDEX one ON t (name)")
    done = run(engine, record(1, "n4"), record(2, "b"), record(3, "c"))
    assert done.counts == Counts(read=3, updated=3, deleted=1)
