"""spec.filter and spec.validation.rules: what is left out is counted, what breaks a rule is set aside with its words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncsource.errors import StalledError
from syncsource.records.batch import Batch, Broken
from syncsource.records.cells import Cells
from syncsource.records.shape import Shape
from syncsource.resource.fields import FieldSpec
from syncsource.resource.validating import Rule

FIELDS = [
    {"name": "id", "type": "integer"},
    {"name": "total", "type": "decimal(6,2)"},
    {"name": "at", "type": "timestamp"},
    {"name": "phone", "type": "text"},
    {"name": "blob", "type": "bytes"},
]


def batch(records: Any, *rules: dict[str, Any], filter: str | None = None, cursor: str | None = None) -> Batch:
    fields = [FieldSpec.model_validate(field) for field in FIELDS]
    return Shape(fields, ["id"], cursor, filter=filter, rules=[Rule.model_validate(rule) for rule in rules]).batch(records)


@pytest.mark.parametrize(
    ("rule", "right", "wrong", "said"),
    [
        ({"field": "phone", "matches": r"^\+?[0-9]+$"}, "+628", "08-12", r"phone: '08-12' must match ^\+?[0-9]+$"),
        ({"field": "total", "matches": r"\.00$"}, Decimal("5"), Decimal("5.5"), r"total: '5.50' must match \.00$"),
        ({"field": "total", "min": 0}, Decimal("0"), Decimal("-0.01"), "total: '-0.01' must be at least 0"),
        ({"field": "total", "max": "9.99"}, Decimal("9.99"), 10, "total: '10.00' must be at most 9.99"),
        ({"field": "at", "min": "2026-01-01T00:00:00Z"}, "2026-01-01T07:00:00+07:00", "2025-12-31T23:59:59Z", "must be at least 2026"),
        ({"field": "phone", "oneOf": ["a", "b"]}, "b", "A", "phone: 'A' must be one of a, b"),
        ({"field": "total", "oneOf": [1, "2.5"]}, Decimal("2.50"), 2, "total: '2.00' must be one of 1, 2.5"),
        ({"field": "blob", "matches": "^AP8"}, "AP8Q", "AA==", "blob: 'AA==' must match ^AP8"),
        ({"field": "phone", "notEmpty": True}, "x", " ", "phone: must not be empty"),
        ({"field": "phone", "notEmpty": True}, "x", None, "phone: must not be empty"),
        ({"field": "phone", "matches": "x", "message": "no x"}, "xx", "y", "no x"),
    ],
)
def test_what_a_rule_takes_and_what_it_refuses(rule: dict[str, Any], right: Any, wrong: Any, said: str) -> None:
    field = rule["field"]
    found = batch([{"id": 1, field: right}, {"id": 2, field: wrong}, {"id": 3, field: right}], rule)
    assert [row[0] for row in found.rows] == [1, 3]
    assert [(one.reason, one.field, one.position) for one in found.rejected] == [("RuleBroken", field, 2)]
    assert said in found.rejected[0].message


def test_null_satisfies_all_but_not_empty() -> None:
    rules = [{"field": "phone", "matches": "x"}, {"field": "total", "min": 1, "max": 2}, {"field": "phone", "oneOf": ["y"]}]
    assert len(batch([{"id": 1}], *rules).rows) == 1


def test_a_record_is_told_its_first_fault_only() -> None:
    found = batch([{"id": 1, "total": "x", "phone": "y"}], {"field": "phone", "matches": "z"})
    assert [one.reason for one in found.rejected] == ["InvalidValue"]


def test_a_pattern_can_not_take_exponential_time() -> None:
    found = batch([{"id": 1, "phone": "a" * 50_000 + "!"}], {"field": "phone", "matches": "^(a+)+$"})
    assert [one.reason for one in found.rejected] == ["RuleBroken"]
    assert len(found.rejected[0].message) < 200


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"field": "total", "min": "x"}, "spec.validation.rules[total].min: 'x' is not a decimal(6,2)"),
        ({"field": "at", "oneOf": ["soon"]}, "spec.validation.rules[at].oneOf: 'soon' is not a timestamp"),
        ({"field": "none", "min": 1}, "spec.validation.rules: no field is named 'none'"),
    ],
)
def test_a_rule_whose_values_can_not_be_is_refused(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(StalledError, match=r".") as caught:
        batch([], rule)
    assert said in caught.value.message


def test_a_pattern_of_another_syntax_is_refused() -> None:
    with pytest.raises(ValueError, match="is not a regular expression of RE2's syntax"):
        Rule.model_validate({"field": "phone", "matches": r"(?=x)"})


def test_what_a_filter_leaves_out_is_counted_and_moves_the_cursor() -> None:
    records = [{"id": 1, "draft": True, "at": "2026-01-03T00:00:00Z"}, {"id": 2, "at": "2026-01-02T00:00:00Z"}, {"id": "x", "draft": False}]
    found = batch(records, filter="!draft", cursor="at")
    assert (found.read, found.skipped, [row[0] for row in found.rows]) == (3, 1, [2])
    assert [(one.reason, one.position) for one in found.rejected] == [("InvalidValue", 3)]
    assert (found.cursor, found.cursors) == ("2026-01-03T00:00:00Z", ["2026-01-02T00:00:00Z"])


def test_a_filter_leaves_out_no_record_that_is_at_fault() -> None:
    """Nothing dropped in silence: what is no record, or is not what the filter is for, goes to quarantine."""
    records = [{"id": 1, "tags": ["a"]}, {"id": 2, "tags": 5}, "text", Broken("RaggedLine", "3 columns", []), {"id": 3, "tags": []}]
    found = batch(records, filter="length(tags) > `0`")
    assert (found.read, found.skipped, [row[0] for row in found.rows]) == (5, 1, [1])
    assert [(one.reason, one.position) for one in found.rejected] == [("FilterFailed", 2), ("NotAnObject", 3), ("RaggedLine", 4)]


@pytest.mark.parametrize(("value", "wanted"), [(0, 1), ("", 0), ([], 0), ({}, 0), (None, 0), (False, 0), (Decimal(0), 1), ("x", 1)])
def test_what_is_true_is_what_jmespath_says(value: Any, wanted: int) -> None:
    assert len(batch([{"id": 1, "v": value}], filter="v").rows) == wanted


def test_numbers_in_a_filter_are_exact() -> None:
    records = [{"id": 1, "price": Decimal("1.1")}, {"id": 2, "price": Decimal("1.10000000000000000001")}]
    assert [row[0] for row in batch(records, filter="price == `1.1`").rows] == [1]


def test_rows_of_cells_are_filtered_too() -> None:
    found = batch(Cells(["id", "phone"], [["1", "x"], ["2", "y"]]), filter="phone == 'y'")
    assert (found.skipped, [row[0] for row in found.rows]) == (1, [2])
