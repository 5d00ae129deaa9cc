"""Engines wait for the next who wants the same one, and nobody else has it meanwhile."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from syncsource.destinations import engines, open_database
from syncsource.destinations.engines import Engines


@pytest.fixture
def kept() -> Engines:
    """None waits yet."""
    return Engines()


def _make() -> Engine:
    return create_engine("sqlite://")


def test_who_comes_next_has_the_same_one_without_its_connections(kept: Engines) -> None:
    with kept.lend("a", _make) as first, first.connect() as connection:
        driver = connection.connection.driver_connection
    with kept.lend("b", _make) as other, kept.lend("a", _make) as again, again.connect() as connection:
        assert (again is first, other is first) == (True, False)
        assert connection.connection.driver_connection is not driver


def test_two_at_a_time_have_one_each(kept: Engines) -> None:
    with kept.lend("a", _make) as first, kept.lend("a", _make) as second:
        assert first is not second
    with kept.lend("a", _make) as one, kept.lend("a", _make) as other, kept.lend("a", _make) as third:
        assert {one, other} == {first, second}
        assert third not in (first, second)


def test_it_comes_back_after_a_failure(kept: Engines) -> None:
    with pytest.raises(ValueError, match="broken"), kept.lend("a", _make) as first:
        raise ValueError("broken")
    with kept.lend("a", _make) as again:
        assert again is first


def test_the_oldest_go_where_there_are_too_many(kept: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_MOST", 2)
    lent = []
    for key in "abc":
        with kept.lend(key, _make) as engine:
            lent.append(engine)
    with ExitStack() as stack:
        found = [stack.enter_context(kept.lend(key, _make)) for key in "abc"]
        assert [one is other for one, other in zip(lent, found, strict=True)] == [False, True, True]


def test_none_waits_for_ever(kept: Engines, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept.lend("a", _make) as first:
        pass
    monkeypatch.setattr(engines, "_LONGEST", -1.0)
    with kept.lend("a", _make) as again:
        assert again is not first


def test_a_database_that_is_closed_twice_gives_its_engine_back_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/rows.db"
    first = open_database(url)
    first.close()
    with open_database(url) as second, open_database(f"{url}.other") as elsewhere, open_database(url, patience=1) as patient:
        assert second.engine is first.engine
        assert first.engine not in (elsewhere.engine, patient.engine)
        first.close()
        with open_database(url) as third:
            assert third.engine is not second.engine
