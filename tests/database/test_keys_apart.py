"""What would make two rows of one record, or one of two, where several keys find rows: what is known of rows goes astray."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncsource.destinations.matching.candidates import digests
from syncsource.destinations.table import Candidate
from tests.database.conftest import Place
from tests.database.engine import Upstream
from tests.database.test_keys import FIELDS, KEYS, _counts, _engine, _Other, _reasons, _record, _rows


def test_fields_in_another_order_find_the_same_rows(place: Place) -> None:
    engine = _engine(place)
    records = [_record(None, "1"), _record("B2", "2")]
    engine.run(Upstream(records))
    engine.spec["keys"] = [KEYS[0], {**KEYS[1], "fields": ["person", "phone"]}]
    assert _counts(engine.run(Upstream(records))) == (0, 0, 2)
    engine.spec["fields"] = FIELDS[::-1]
    assert _counts(engine.run(Upstream(records))) == (0, 0, 2)


def test_rows_that_are_gone_when_the_keys_change_are_not_found(place: Place) -> None:
    engine = _engine(place)
    records = [_record("B1", "1"), _record("B2", "2")]
    engine.run(Upstream(records))
    place.sql("DELETE FROM leads WHERE booking = 'B1'")
    engine.spec["keys"] = KEYS[::-1]
    assert _counts(engine.run(Upstream(records))) == (1, 0, 1)
    assert _counts(engine.run(Upstream(records))) == (0, 0, 2)


def test_a_number_that_moved_on_is_not_known_any_more_whatever_else_the_run_does(place: Place) -> None:
    engine = _engine(place)
    engine.run(Upstream([_record("B1", "1")]))
    engine.run(Upstream([_record("B1", "2"), _record("B5", "5")]))
    assert _counts(engine.run(Upstream([_record(None, "1", total=77)]))) == (1, 0, 0)
    assert [row[0] for row in _rows(place)] == ["B1", "B5", None]


def test_of_a_record_with_its_number_and_one_without_the_former_stays(place: Place) -> None:
    """Only it finds the row by the number, which would seem to be gone from the source otherwise."""
    engine = _engine(place, write={"onAbsent": "Delete"})
    engine.run(Upstream([_record("B1", "1")]))
    outcome = engine.run(Upstream([_record("B1", "7"), _record(None, "7", total=9)]))
    assert (_counts(outcome), outcome.counts.skipped, outcome.counts.deleted) == ((0, 1, 0), 1, 0)
    assert _rows(place) == [("B1", "7", "Ana", 1)]


def test_a_row_that_came_back_is_found_by_every_source(place: Place) -> None:
    engine = _engine(place)
    other = _Other(place, "leads", fields=FIELDS, keys=KEYS[:1], incremental=None)
    for one in (engine, other):
        one.run(Upstream([_record("B1", "1")]))
    [(number,)] = place.sql("SELECT id FROM leads")
    place.sql("DELETE FROM leads")
    engine.run(Upstream([]))
    place.sql(f"INSERT INTO leads (id, booking, phone, person, total) VALUES ({number}, 'B1', '1', 'Ana', 1)")
    assert _counts(other.run(Upstream([_record("B1", "1")]))) == (0, 0, 1)
    assert _counts(engine.run(Upstream([_record("B1", "1")]))) == (0, 0, 1)


@pytest.mark.parametrize("primary", ["INT PRIMARY KEY", "TEXT PRIMARY KEY"])
def test_a_primary_key_that_nothing_fills_is_refused(sqlite: Place, primary: str) -> None:
    sqlite.sql(f"CREATE TABLE leads (id {primary}, booking text, phone text, person text, total bigint)")
    outcome = _engine(sqlite, create=False).run(Upstream([_record("B1", "1")]))
    assert (outcome.reason, "nothing fills id of the primary key" in outcome.message) == ("SchemaMismatch", True)


def test_a_record_without_the_primary_key_that_a_field_fills_is_quarantined(place: Place) -> None:
    place.sql("CREATE TABLE leads (booking varchar(20) PRIMARY KEY, phone varchar(20), person varchar(20), total bigint)")
    engine = _engine(place, create=False)
    outcome = engine.run(Upstream([_record("B1", "1"), _record(None, "2")]))
    assert (_counts(outcome), outcome.counts.quarantined) == ((1, 0, 0), 1)
    assert _reasons(engine) == ["MissingValue"]


def test_who_is_kept_out_takes_no_row_and_is_counted_once(place: Place) -> None:
    place.sql("CREATE TABLE closed (booking varchar(20))")
    place.sql("INSERT INTO closed VALUES ('B1')")
    engine = _engine(place, "NULL, '1', 'Ana', 0", write={"skipIf": [{"existsIn": "closed", "match": ["booking"]}]})
    outcome = engine.run(Upstream([_record("B1", "1"), _record("B2", "1"), _record("B1", None, None)]))
    assert (_counts(outcome), outcome.counts.skipped, outcome.counts.quarantined) == ((0, 1, 0), 2, 0)
    assert _rows(place) == [("B2", "1", "Ana", 1)]


def test_rows_that_are_not_inserted_have_no_base(place: Place) -> None:
    engine = _engine(place, "'B1', '1', 'Ana', 0", write={"onExisting": "Merge", "onMissing": "Skip", "conflict": {"resolve": "Source"}})
    for _ in range(2):
        outcome = engine.run(Upstream([_record("B1", "1"), _record("B2", "2")]))
        assert (outcome.result, outcome.counts.inserted, outcome.counts.skipped) == ("Succeeded", 0, 1)


def test_long_numbers_are_told_apart() -> None:
    long = [Decimal("12345678901234567890123456789012345678"), Decimal("12345678901234567890123456789012345679")]
    first, second = digests(Candidate("k", (0,), (None,)), [long])
    assert first != second
    assert len(set(digests(Candidate("k", (0,), (None,)), [[Decimal("1.50"), Decimal("1.5"), 1.5]]))) == 1
