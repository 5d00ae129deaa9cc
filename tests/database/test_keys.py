"""Several keys: a record finds its row by the strongest that both have, by what the row's columns hold or by what the source once said of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from syncsource.destinations import Rule, companions
from syncsource.engine import duplicates, undoing
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

FIELDS = [
    {"name": "booking", "type": "text"},
    {"name": "phone", "type": "text"},
    {"name": "person", "type": "text"},
    {"name": "total", "type": "integer"},
]
KEYS = [{"fields": ["booking"]}, {"fields": ["phone", "person"], "normalize": {"phone": "digits", "person": "fold"}}]
TABLE = {
    "postgresql": "CREATE TABLE leads (id bigserial PRIMARY KEY, booking text, phone text, person text, total bigint, note text)",
    "mariadb": "CREATE TABLE leads (id bigint PRIMARY KEY AUTO_INCREMENT, booking text, phone text, person text, total bigint, note text)",
    "sqlite": "CREATE TABLE leads (id INTEGER PRIMARY KEY, booking text, phone text, person text, total bigint, note text)",
}


def _engine(place: Place, *rows: str, keys: Any = KEYS, create: bool = True, **spec: Any) -> Engine:
    if create:
        place.sql(TABLE[place.kind])
    for row in rows:
        place.sql(f"INSERT INTO leads (booking, phone, person, total) VALUES ({row})")
    return Engine(place, "leads", fields=FIELDS, keys=keys, incremental=None, **spec)


class _Other(Engine):
    """Another source of the table."""

    def plan(self, *, full: bool = False) -> RunPlan:
        """Of a new run."""
        return msgspec.structs.replace(super().plan(full=full), identity="test/ns/other")


def _record(booking: str | None, phone: str | None, person: str | None = "Ana", total: int = 1) -> dict[str, Any]:
    return {"booking": booking, "phone": phone, "person": person, "total": total, "changed": None}


def _rows(place: Place, columns: str = "booking, phone, person, total") -> list[tuple[Any, ...]]:
    return place.sql(f"SELECT {columns} FROM leads ORDER BY id")


def _counts(outcome: Outcome) -> tuple[int, int, int]:
    assert outcome.result == "Succeeded", outcome
    return outcome.counts.inserted, outcome.counts.updated, outcome.counts.unchanged


def _reasons(engine: Engine) -> list[str]:
    found = engine.place.sql("SELECT reason FROM syncsource_quarantine ORDER BY reason")
    return [reason for (reason,) in found]


def test_a_row_is_found_by_the_weaker_key_as_people_wrote_it(place: Place) -> None:
    engine = _engine(place, "NULL, '+62 (812) 34', 'ÁNA  ', 7", "'B2', '5', 'Bo', 8")
    outcome = engine.run(Upstream([_record("B1", "62-81234", "Ana", 1), _record("B2", "6", "Bo", 2), _record("B3", "5", "Bo", 3)]))
    assert _counts(outcome) == (1, 2, 0)
    assert _rows(place) == [("B1", "62-81234", "Ana", 1), ("B2", "6", "Bo", 2), ("B3", "5", "Bo", 3)]
    again = engine.run(Upstream([_record("B1", "62-81234", "Ana", 1), _record("B2", "6", "Bo", 2), _record("B3", "5", "Bo", 3)]))
    assert _counts(again) == (0, 0, 3)


def test_two_bookings_of_one_person_stay_two(place: Place) -> None:
    engine = _engine(place)
    two = [_record("B1", "1"), _record("B2", "1")]
    assert _counts(engine.run(Upstream(two))) == (2, 0, 0)
    assert _counts(engine.run(Upstream(two))) == (0, 0, 2)
    assert [row[0] for row in _rows(place)] == ["B1", "B2"]


def test_a_record_that_gains_its_number_later_still_finds_its_row(place: Place) -> None:
    engine = _engine(place)
    assert _counts(engine.run(Upstream([_record(None, "1")]))) == (1, 0, 0)
    assert _counts(engine.run(Upstream([_record("B1", "1")]))) == (0, 1, 0)
    assert _rows(place) == [("B1", "1", "Ana", 1)]


def test_a_number_that_people_corrected_does_not_make_a_second_row(place: Place) -> None:
    """What the source says of a row is remembered: its alias."""
    engine = _engine(place, write={"protect": ["phone"]})
    engine.run(Upstream([_record(None, "1"), _record("B2", "2")]))
    place.sql("UPDATE leads SET phone = '999' WHERE phone = '1'")
    place.sql("UPDATE leads SET booking = 'typed' WHERE booking = 'B2'")
    assert _counts(engine.run(Upstream([_record(None, "1", total=5), _record("B2", "2", total=6)]))) == (0, 2, 0)
    assert _rows(place) == [(None, "999", "Ana", 5), ("B2", "2", "Ana", 6)]


def test_what_the_source_no_longer_says_is_no_alias(place: Place) -> None:
    """Somebody else gets the number that a record had: a row of its own."""
    engine = _engine(place)
    engine.run(Upstream([_record("B1", "1")]))
    engine.run(Upstream([_record("B1", "2")]))
    assert _counts(engine.run(Upstream([_record("B1", "2"), _record(None, "1", total=9)]))) == (1, 0, 1)
    assert _rows(place) == [("B1", "2", "Ana", 1), (None, "1", "Ana", 9)]


def test_a_number_that_a_record_lost_keeps_others_away(place: Place) -> None:
    engine = _engine(place)
    engine.run(Upstream([_record("B1", "1")]))
    engine.run(Upstream([_record(None, "1")]))
    assert _counts(engine.run(Upstream([_record("B2", "1")]))) == (1, 0, 0)
    assert [row[0] for row in _rows(place)] == [None, "B2"]


def test_several_rows_send_their_record_to_quarantine(place: Place) -> None:
    engine = _engine(place, "NULL, '1', 'Ana', 1", "NULL, ' 1 ', 'ana', 2", "NULL, '2', 'Bo', 3")
    outcome = engine.run(Upstream([_record(None, "1", total=9), _record(None, "2", "bo", 9)]))
    assert (_counts(outcome), outcome.counts.quarantined) == ((0, 1, 0), 1)
    assert _reasons(engine) == ["AmbiguousKey"]
    assert [row[3] for row in _rows(place)] == [1, 2, 9]
    place.sql("DELETE FROM leads WHERE total = 2")
    assert _counts(engine.run(Upstream([_record(None, "1", total=9), _record(None, "2", "bo", 9)]))) == (0, 1, 1)
    assert _reasons(engine) == []


def test_a_record_without_a_complete_key_is_quarantined(place: Place) -> None:
    engine = _engine(place)
    outcome = engine.run(Upstream([_record(None, None), _record(None, " - ", "Ana"), _record("", "1", ""), _record("B1", None, None)]))
    assert (_counts(outcome), outcome.counts.quarantined) == ((1, 0, 0), 3)
    assert _reasons(engine) == ["MissingKey"] * 3


def test_of_one_record_twice_the_newest_wins(place: Place) -> None:
    engine = _engine(place)
    page = [_record("B1", "1", total=1), _record("B2", "2", total=3), _record("B2", "3", total=4)]
    outcome = engine.run(Upstream(page))
    assert (_counts(outcome), outcome.counts.skipped) == ((2, 0, 0), 1)
    assert _rows(place) == [("B1", "1", "Ana", 1), ("B2", "3", "Ana", 4)]
    page = [_record("B3", "7", total=1), _record(None, "(7)", "ANA", 2)]
    outcome = engine.run(Upstream(page))
    assert (_counts(outcome), outcome.counts.skipped) == ((1, 0, 0), 1)
    assert _rows(place)[-1] == ("B3", "7", "Ana", 1)


def test_one_record_that_may_be_two_others_of_the_run_is_quarantined(place: Place) -> None:
    engine = _engine(place)
    outcome = engine.run(Upstream([_record("B1", "1"), _record("B2", "1"), _record(None, "1")]))
    assert (_counts(outcome), outcome.counts.quarantined, _reasons(engine)) == ((2, 0, 0), 1, ["AmbiguousKey"])


def test_one_row_is_taken_by_one_record(place: Place) -> None:
    """Two bookings of a person who was typed in without a number: the first takes the row, the other one is new."""
    engine = _engine(place, "NULL, '1', 'Ana', 0")
    both = [_record("B1", "1"), _record("B2", "1")]
    assert _counts(engine.run(Upstream(both))) == (1, 1, 0)
    assert _counts(engine.run(Upstream(both))) == (0, 0, 2)


def test_a_table_of_ours_numbers_its_rows(place: Place) -> None:
    engine = Engine(place, "made", fields=FIELDS, keys=KEYS, incremental=None)
    engine.spec["destination"]["sql"]["createTable"] = True
    records = [_record("B1", "1"), _record(None, "2")]
    assert _counts(engine.run(Upstream(records))) == (2, 0, 0)
    assert _counts(engine.run(Upstream(records))) == (0, 0, 2)
    assert place.sql("SELECT row_id, booking FROM made ORDER BY row_id") == [(1, "B1"), (2, None)]


def test_a_table_without_a_primary_key_is_refused(place: Place) -> None:
    place.sql("CREATE TABLE leads (booking varchar(20), phone varchar(20), person varchar(20), total bigint)")
    outcome = _engine(place, create=False).run(Upstream([_record("B1", "1")]))
    assert (outcome.result, outcome.reason) == ("Failed", "SchemaMismatch")
    assert "has no primary key" in outcome.message


def test_a_run_is_undone_where_the_database_numbers_rows(place: Place) -> None:
    engine = _engine(place, "NULL, '1', 'Ana', 0", safety={"undo": {"keep": "1d"}})
    run = engine.run(Upstream([_record("B1", "1"), _record("B2", "2"), _record("B3", "3")]))
    assert _counts(run) == (2, 1, 0)
    outcome, done = undoing.undo(engine.plan(), run.run, Stop())
    assert (outcome.result, done and (done.restored, done.removed)) == ("Succeeded", (1, 2))
    assert _rows(place) == [(None, "1", "Ana", 0)]
    assert _counts(engine.run(Upstream([_record("B1", "1"), _record("B2", "2"), _record("B3", "3")]))) == (2, 1, 0)


def test_merged_and_deleted_rows_are_known_by_their_primary_key(place: Place) -> None:
    engine = _engine(place, write={"onExisting": "Merge", "onAbsent": "Delete", "conflict": {"resolve": "Destination"}})
    engine.run(Upstream([_record("B1", "1"), _record(None, "2")]))
    place.sql("UPDATE leads SET phone = '777', total = 50 WHERE booking = 'B1'")
    assert _counts(engine.run(Upstream([_record("B1", "1", "Eva"), _record(None, "2")]))) == (0, 1, 1)
    assert _rows(place) == [("B1", "777", "Eva", 50), (None, "2", "Ana", 1)]
    outcome = engine.run(Upstream([_record("B1", "1", "Eva")]))
    assert outcome.counts.deleted == 1
    assert [row[0] for row in _rows(place)] == ["B1"]


def test_nothing_is_deleted_while_it_is_not_known_whose_rows_are_whose(place: Place) -> None:
    engine = _engine(place, write={"onAbsent": "Delete"})
    engine.run(Upstream([_record("B1", "1"), _record("B2", "2")]))
    place.sql("INSERT INTO leads (phone, person, total) VALUES ('5', 'Bo', 0), ('5', 'bo', 0)")
    outcome = engine.run(Upstream([_record("B1", "1"), _record(None, "5", "Bo")]))
    assert (outcome.counts.deleted, outcome.counts.quarantined) == (0, 1)
    assert "stay" in outcome.message
    assert len(_rows(place)) == 4


@pytest.mark.parametrize("shape", ["bigint", "char(3)"])
def test_keys_of_other_types(place: Place, shape: str) -> None:
    auto = {"postgresql": "bigserial", "mariadb": "bigint AUTO_INCREMENT", "sqlite": "integer"}[place.kind]
    place.sql(f"CREATE TABLE leads (id {auto} PRIMARY KEY, booking {shape}, phone varchar(30), person varchar(30), total bigint)")
    engine = Engine(
        place, "leads", fields=[{"name": "booking", "type": "integer" if shape == "bigint" else "text"}, *FIELDS[1:]], keys=KEYS
    )
    engine.spec["incremental"] = None
    records = [_record("12", "1"), _record("7", "2")] if shape != "bigint" else [{**_record(None, "1"), "booking": 12}, _record(None, "2")]
    assert _counts(engine.run(Upstream(records)))[0] == 2
    assert _counts(engine.run(Upstream(records))) == (0, 0, 2)


def test_rows_that_several_keys_call_one_are_found_and_dropped(place: Place) -> None:
    """A row without a number belongs to the one booking that has its phone; where two have it, to none."""
    engine = _engine(
        place,
        "'B1', '1', 'Ana', 1",
        "NULL, '(1)', 'ana', 2",
        "'B1', '9', 'Ana', 3",
        "'B2', '2', 'Bo', 4",
        "'B3', '2', 'Bo', 5",
        "NULL, '2', 'Bo', 6",
        "NULL, '3', 'Cy', 7",
        "NULL, '3 ', 'CY', 8",
        "NULL, NULL, 'Cy', 9",
    )
    found = duplicates.find(engine.plan(), Stop(), 5)
    assert (found.groups, found.surplus, found.keys) == (2, 3, ["booking", "phone", "person"])
    assert [(group.rows, group.key["phone"]) for group in found.examples] == [(3, "1"), (2, "3")]
    outcome, fixed = duplicates.fix(engine.plan(), Rule(by="total", highest=True), Stop())
    assert (outcome.result, fixed and fixed.deleted) == ("Succeeded", 3)
    assert [row[3] for row in _rows(place)] == [3, 4, 5, 6, 8, 9]
    undone, _ = undoing.undo(engine.plan(), outcome.run, Stop())
    assert (undone.result, len(_rows(place))) == ("Succeeded", 9)


def test_keys_that_are_declared_anew_find_the_rows_that_are_there(place: Place) -> None:
    loose, strict = KEYS, [{"fields": ["booking"]}, {"fields": ["phone", "person"], "normalize": {"person": "fold"}}]
    engine = _engine(place, keys=strict)
    engine.run(Upstream([_record(None, "(1)"), _record(None, "2")]))
    engine.spec["keys"] = loose
    assert _counts(engine.run(Upstream([_record(None, "1"), _record(None, "2")]))) == (0, 1, 1)
    engine.spec["keys"] = strict
    assert _counts(engine.run(Upstream([_record(None, "1"), _record(None, "2")]))) == (0, 0, 2)
    assert len(_rows(place)) == 2


def test_sources_with_keys_of_their_own_share_a_table(place: Place) -> None:
    by_number = _engine(place, keys=[{"fields": ["booking"]}, {"fields": ["phone"], "normalize": {"phone": "digits"}}])
    by_person = _Other(place, "leads", fields=FIELDS, keys=KEYS, incremental=None)
    by_number.run(Upstream([_record("B1", "1"), _record(None, "2")]))
    assert _counts(by_person.run(Upstream([_record("B1", "1"), _record(None, "(2)")]))) == (0, 1, 1)
    assert _counts(by_number.run(Upstream([_record("B1", "1"), _record(None, "2")]))) == (0, 1, 1)
    place.sql("UPDATE leads SET phone = '7' WHERE booking IS NULL")
    assert _counts(by_person.run(Upstream([_record("B1", "1"), _record(None, "7")]))) == (0, 0, 2)
    assert _counts(by_number.run(Upstream([_record("B1", "1"), _record(None, "7")]))) == (0, 0, 2)
    assert len(_rows(place)) == 2


def test_what_a_row_holds_is_known_though_its_source_says_something_else(place: Place) -> None:
    """As long as a source says what a row holds this is kept but once; other sources find the row when it says so no more."""
    engine = _engine(place, write={"onExisting": "Skip"})
    other = _Other(place, "leads", fields=FIELDS, keys=KEYS, incremental=None)
    assert _counts(engine.run(Upstream([_record("B1", "1")]))) == (1, 0, 0)
    engine.run(Upstream([_record("B1", "2")]))
    assert _counts(other.run(Upstream([_record(None, "1", total=7)]))) == (0, 1, 0)
    assert [row[1:] for row in _rows(place)] == [("1", "Ana", 7)]


def test_what_is_known_of_very_many_rows_is_found_by_indexes_too(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are made after the first of them."""
    few, many = _engine(place), [_record(f"B{number}", str(number)) for number in range(5)]
    few.run(Upstream(many[:1]))
    before = _indexes(place)
    place.sql("DROP TABLE leads")
    for name in {name for name, _ in before}:
        place.sql(f"DROP TABLE {name}")
    monkeypatch.setattr(companions, "MANY", 3)
    engine = _engine(place)
    assert _counts(engine.run(Upstream(many))) == (5, 0, 0)
    assert _indexes(place) == before != []
    assert _counts(engine.run(Upstream([*many, _record(None, "9")]))) == (1, 0, 5)


def _indexes(place: Place) -> list[tuple[Any, ...]]:
    """Table and index."""
    query = {
        "postgresql": "SELECT tablename, indexname FROM pg_indexes WHERE tablename LIKE 'syncsource_known%' OR tablename LIKE 'syncsource_seen%'",
        "mariadb": "SELECT DISTINCT table_name, index_name FROM information_schema.statistics WHERE table_schema = DATABASE() "
        "AND (table_name LIKE 'syncsource_known%' OR table_name LIKE 'syncsource_seen%')",
        "sqlite": "SELECT tbl_name, name FROM sqlite_master WHERE type = 'index' "
        "AND (tbl_name LIKE 'syncsource_known%' OR tbl_name LIKE 'syncsource_seen%')",
    }
    return sorted(place.sql(query[place.kind]))
