"""Fields on a real database: what a filter leaves out, what rules set aside, constants and the partition as columns."""

from __future__ import annotations

from typing import Any

from tests.database.conftest import Place
from tests.database.engine import Engine, Upstream

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "name", "type": "text", "normalize": ["trim"], "default": "?"},
    {"name": "origin", "type": "text", "value": "shop"},
]


def engine(place: Place, **spec: Any) -> Engine:
    place.sql("CREATE TABLE t (id bigint PRIMARY KEY, name text, origin text)")
    return Engine(place, "t", fields=FIELDS, **spec)


def records(*names: Any) -> list[Any]:
    return [{"id": number, "name": name, "changed": number} for number, name in enumerate(names, 1)]


def test_what_a_filter_leaves_out_is_skipped_and_not_read_again(place: Place) -> None:
    run = engine(place, filter="name != 'draft'")
    outcome = run.run(Upstream(records(" a ", "draft", None)))
    assert (outcome.counts.read, outcome.counts.inserted, outcome.counts.skipped) == (3, 2, 1)
    assert place.sql("SELECT * FROM t ORDER BY id") == [(1, "a", "shop"), (3, "?", "shop")]
    assert run.cursor() == 3
    assert run.run(Upstream(records(" a ", "draft", None))).counts.read == 1


def test_another_filter_reads_everything_again(place: Place) -> None:
    engine(place, filter="name != 'draft'").run(Upstream(records("a", "draft")))
    outcome = Engine(place, "t", fields=FIELDS).run(Upstream(records("a", "draft")))
    assert (outcome.full, outcome.counts.inserted, outcome.counts.unchanged) == (True, 1, 1)


def test_a_record_that_breaks_a_rule_goes_to_quarantine_and_the_rest_is_written(place: Place) -> None:
    run = engine(place, validation={"rules": [{"field": "name", "matches": "^[a-z]$", "message": "one letter"}]})
    outcome = run.run(Upstream(records("a", "B", "c")))
    assert (outcome.counts.inserted, outcome.counts.quarantined, outcome.message) == (2, 1, "quarantined: 1 RuleBroken (name)")


def test_more_broken_rules_than_max_invalid_stop_the_run_before_it_writes(place: Place) -> None:
    run = engine(place, validation={"maxInvalid": 1, "rules": [{"field": "name", "notEmpty": True}, {"field": "id", "max": 1}]})
    outcome = run.run(Upstream(records("a", "b", "c")))
    assert (outcome.reason, place.sql("SELECT * FROM t"), run.quarantined()) == ("TooManyInvalid", [], 0)
