"""Quarantine: what is kept of a bad record, what is shown of it, tried again after a fix, discarded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from syncsource import ledger
from syncsource.engine import quarantine
from syncsource.engine.plan import Counts, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.errors import PermanentError
from syncsource.records.batch import Broken
from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

GOOD = {"id": 1, "amount": "1.5", "changed": 1}
BAD = {"id": 2, "amount": "1,5", "who": {"phone": "0812"}, "changed": 2}
HUGE = {"id": 3, "amount": "99999.5", "changed": 3}
FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "integer"},
    {"name": "amount", "type": "decimal(12,2)"},
    {"name": "phone", "type": "text", "path": "who.phone"},
]
COMMA = [FIELDS[0], {**FIELDS[1], "decimalSeparator": ","}, FIELDS[2]]


@pytest.fixture
def engine(place: Place) -> Any:
    """The engine with other fields at each call, on one table of numbers below 1,000."""
    place.sql("CREATE TABLE t (id bigint PRIMARY KEY, amount numeric(10,2) CHECK (amount < 1000), phone text)")
    return lambda fields=FIELDS, **spec: Engine(place, "t", fields=fields, **spec)


def plan(run: Engine) -> RunPlan:
    return msgspec.structs.replace(run.plan(), run=uuid4().hex)


def shown(run: Engine) -> list[quarantine.Quarantined]:
    return quarantine.look(plan(run))[0]


def test_an_entry_has_reason_field_value_and_place(engine: Any) -> None:
    run = engine()
    assert run.run(Upstream([GOOD, BAD])).counts.quarantined == 1
    (one,) = shown(run)
    assert (one.reason, one.field, one.excerpt, one.position, one.record) == ("InvalidValue", "amount", "1,5", 2, BAD)
    assert one.first_seen == one.last_seen
    assert one.message == "amount: '1,5' is not a decimal(12,2)"


def test_the_same_record_again_is_one_entry_seen_twice(engine: Any) -> None:
    run = engine()
    run.run(Upstream([BAD]))
    run.run(Upstream([BAD]), full=True)
    (one,) = shown(run)
    assert one.first_seen < one.last_seen


def test_after_a_fix_a_record_is_written_and_leaves_quarantine(engine: Any) -> None:
    engine().run(Upstream([GOOD, BAD]))
    run = engine(COMMA)
    outcome = quarantine.retry(plan(run), None, Stop())
    assert (outcome.result, outcome.counts.read, outcome.counts.inserted, outcome.quarantined_total) == ("Succeeded", 1, 1, 0)
    assert run.place.sql("SELECT * FROM t ORDER BY id") == [(1, Decimal("1.5"), None), (2, Decimal("1.5"), "0812")]
    last = ledger.history(run.place.database.engine, run.plan().identity)[0]
    assert (last.trigger, last.result, last.read, last.inserted, last.cursor_after) == ("Retry", "Succeeded", 1, 1, None)
    assert run.cursor() == 2, "cursors stay as they are"
    assert shown(run) == []


def test_what_the_database_refused_is_tried_again_as_the_row_that_it_was(engine: Any) -> None:
    run = engine()
    run.run(Upstream([HUGE]))
    (one,) = shown(run)
    assert (one.reason, Decimal(str(one.record["amount"]))) == ("ConstraintViolation", Decimal("99999.5"))
    again = quarantine.retry(plan(run), [one.id], Stop())
    assert (again.counts.quarantined, again.quarantined_total, again.reason) == (1, 1, "RecordsQuarantined")
    assert [(other.id, other.first_seen) for other in shown(run)] == [(one.id, one.first_seen)]
    run.place.sql("ALTER TABLE t DROP CONSTRAINT t_amount_check" if run.place.kind == "postgresql" else "DROP TABLE t")
    if run.place.kind != "postgresql":
        run.place.sql("CREATE TABLE t (id bigint PRIMARY KEY, amount numeric(10,2), phone text)")
    assert quarantine.retry(plan(run), [one.id], Stop()).counts.inserted == 1
    assert (shown(run), [float(row[0]) for row in run.place.sql("SELECT amount FROM t")]) == ([], [99999.5])


def test_only_those_that_succeed_leave(engine: Any) -> None:
    engine().run(Upstream([BAD, {"id": None, "amount": "2,5", "changed": 1}, {"id": 4, "amount": "x", "changed": 1}]))
    outcome = quarantine.retry(plan(engine(COMMA)), None, Stop())
    assert (outcome.counts.read, outcome.counts.inserted, outcome.counts.quarantined, outcome.quarantined_total) == (3, 1, 2, 2)
    assert sorted(one.reason for one in shown(engine())) == ["InvalidValue", "MissingKey"]


def test_what_a_source_could_not_make_out_whole_is_never_written(engine: Any) -> None:
    run = engine()
    run.run(Upstream([GOOD, Broken("NotText", "a text is not UTF-8", {"id": 1, "amount": "7.5"}), Broken("RaggedLine", "1 cell", ["4"])]))
    outcome = quarantine.retry(plan(run), None, Stop())
    assert outcome.counts == Counts(read=2, quarantined=2)
    assert {one.reason: one.record for one in shown(run)} == {"NotText": {"id": 1, "amount": "7.5"}, "RaggedLine": ["4"]}
    assert run.place.sql("SELECT id, amount FROM t") == [(1, Decimal("1.5"))]


def test_one_is_tried_and_the_others_wait(engine: Any) -> None:
    engine().run(Upstream([BAD, {**BAD, "id": 7}]))
    run = engine(COMMA)
    chosen = next(one for one in shown(run) if one.record["id"] == 7)
    assert quarantine.retry(plan(run), [chosen.id[:6]], Stop()).counts.inserted == 1
    assert [one.record["id"] for one in shown(run)] == [2]


def test_a_retry_that_fails_leaves_everything_as_it_was(engine: Any) -> None:
    engine().run(Upstream([BAD]))
    run = engine([*COMMA, {"name": "absent", "type": "text"}])
    outcome = quarantine.retry(plan(run), None, Stop())
    assert (outcome.result, outcome.reason, len(shown(run))) == ("Failed", "SchemaMismatch", 1)
    assert [one.result for one in ledger.history(run.place.database.engine, run.plan().identity)] == ["Failed", "Succeeded"]


def test_a_retry_that_another_run_overtakes_writes_nothing(engine: Any) -> None:
    engine().run(Upstream([BAD]))
    run = engine(COMMA)

    class Overtaken(Stop):
        """Another run takes the fence each time that the retry asks whether it is to stop: the last time just before its commit."""

        def check(self) -> None:
            moment = datetime.now(UTC)
            ledger.acquire(
                run.place.database.engine, run.plan().identity, run=uuid4().hex, trigger="Request", generation=1, started_at=moment
            )

    if run.place.kind == "sqlite":
        pytest.skip("a SQLite file has one writer: nobody takes the fence during its transaction")
    outcome = quarantine.retry(plan(run), None, Overtaken())
    assert (outcome.result, outcome.reason, len(shown(run))) == ("Interrupted", "Fenced", 1)
    assert run.place.sql("SELECT * FROM t") == []


def test_a_cancelled_retry_writes_nothing(engine: Any) -> None:
    engine().run(Upstream([BAD]))
    run, stop = engine(COMMA), Stop()
    stop()
    assert quarantine.retry(plan(run), None, stop).reason == "Cancelled"
    assert (len(shown(run)), run.place.sql("SELECT * FROM t")) == (1, [])


def test_discarded_records_are_forgotten(engine: Any) -> None:
    run = engine()
    run.run(Upstream([BAD, {**BAD, "id": 7}]))
    first, second = shown(run)
    assert quarantine.discard(plan(run), [first.id]) == 1
    assert shown(run) == [second]
    assert (quarantine.discard(plan(run), None), shown(run)) == (1, [])


@pytest.mark.parametrize("wrong", ["ffff", "", "abc", "%", "____"])
def test_an_id_that_means_no_record_or_several_is_refused(engine: Any, wrong: str) -> None:
    run = engine()
    run.run(Upstream([BAD, {**BAD, "id": 7}]))
    for action in (quarantine.look, quarantine.discard):
        with pytest.raises(PermanentError, match="in quarantine has an id that begins with"):
            action(plan(run), [wrong])
    assert quarantine.retry(plan(run), [wrong], Stop()).reason == "NotFound"
    assert len(shown(run)) == 2


def test_sensitive_values_are_masked_wherever_they_are_shown_and_kept_for_the_retry(engine: Any) -> None:
    secret = [FIELDS[0], {**FIELDS[1]}, {**FIELDS[2], "type": "integer", "sensitive": True}]
    bad = [{"id": 1, "who": {"phone": "x0812-1"}, "changed": 1}, {"id": 2, "amount": "z", "who": {"phone": "x0812-1"}, "changed": 1}]
    table = engine(secret).place
    table.sql("ALTER TABLE t DROP COLUMN phone")
    table.sql("ALTER TABLE t ADD COLUMN phone bigint")
    run = engine(secret)
    run.run(Upstream(bad))
    told = msgspec.json.encode(shown(run)).decode()
    assert "0812" not in told
    assert [one.record["who"] for one in shown(run)] == [{"phone": "***"}] * 2
    assert sorted((one.field, one.excerpt) for one in shown(run)) == [("amount", "z"), ("phone", "***")]
    digits = [FIELDS[0], FIELDS[1], {**secret[2], "normalize": ["digits"]}]
    assert quarantine.retry(plan(engine(digits)), None, Stop()).counts.inserted == 1
    assert run.place.sql("SELECT phone FROM t") == [(8121,)]


def test_a_sensitive_value_under_an_expression_hides_the_whole_record(engine: Any) -> None:
    run = engine([FIELDS[0], FIELDS[1], {**FIELDS[2], "path": "join('', [who.phone, '!'])", "sensitive": True}])
    run.run(Upstream([BAD]))
    assert [one.record for one in shown(run)] == ["***"]


def test_numbers_of_a_record_come_back_digit_for_digit(engine: Any) -> None:
    run = engine()
    run.run(Upstream([{"id": 2, "amount": 10**40, "changed": 1}]))
    assert json.loads(msgspec.json.encode(shown(run)[0].record))["amount"] == 10**40


@pytest.mark.parametrize("kind", ["integer", "timestamp"])
def test_a_row_that_is_newer_than_the_record_stays(place: Place, kind: str) -> None:
    """The record of before went to quarantine, the one after it was written, and nobody looked until then."""
    old, later, last = {"integer": (9, 10, 11), "timestamp": ("2026-01-31T09:00:00+07:00", "2026-01-31T03:00:00Z", "2026-02-01T00:00:00Z")}[
        kind
    ]
    fields = [FIELDS[0], FIELDS[1], {"name": "changed", "type": kind}]
    moment = "datetime(6)" if place.kind == "mariadb" else "timestamptz"
    place.sql(f"CREATE TABLE u (id bigint PRIMARY KEY, amount numeric(10,2), changed {moment if kind == 'timestamp' else 'bigint'})")
    run = Engine(place, "u", fields=fields)
    first = [{"id": 1, "amount": "1,5", "changed": old}, {"id": 2, "amount": "1", "changed": old}]
    run.run(Upstream([*first, {"id": 2, "amount": "2,5", "changed": later}]))
    run.run(Upstream([{"id": 1, "amount": "7.5", "changed": last}]))
    assert len(shown(run)) == 2
    mended = Engine(place, "u", fields=[FIELDS[0], {**FIELDS[1], "decimalSeparator": ","}, fields[2]])
    outcome = quarantine.retry(plan(mended), None, Stop())
    assert (outcome.counts.updated, outcome.counts.unchanged, outcome.quarantined_total) == (1, 1, 0)
    assert [float(amount) for (amount,) in place.sql("SELECT amount FROM u ORDER BY id")] == [7.5, 2.5]


def test_a_retry_into_a_table_that_is_gone_leaves_no_cursor_behind(place: Place) -> None:
    """The next run finds a table again, and must fill it."""
    reference = {"secretKeyRef": {"name": "db", "key": "url"}}
    created = {"sql": {"urlFrom": reference, "table": "v", "createTable": True}}
    run = Engine(place, "v", fields=FIELDS, destination=created)
    run.run(Upstream([GOOD, BAD]))
    place.sql("DROP TABLE v")
    assert quarantine.retry(plan(run), None, Stop()).result == "Succeeded"
    assert run.run(Upstream([GOOD, {**BAD, "amount": "2.5"}])).counts.inserted == 2
