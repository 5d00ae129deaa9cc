"""Where a column's values come from: paths, defaults, constants, the partition; normalised before they are typed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncsource.errors import StalledError
from syncsource.records.batch import Batch
from syncsource.records.shape import Shape
from syncsource.resource.fields import FieldSpec


def batch(records: list[Any], *fields: dict[str, Any], partition: str = "", cursor: str | None = None) -> Batch:
    declared = [{"name": "id", "type": "integer"}, *fields]
    return Shape([FieldSpec.model_validate(field) for field in declared], ["id"], cursor, partition=partition).batch(records, "page 3")


def column(values: list[Any], **field: Any) -> list[Any]:
    """The second column of records whose ``v`` has these values."""
    found = batch([{"id": number, "v": value} for number, value in enumerate(values)], {"name": "v", "type": "text", **field})
    assert not found.rejected
    return [row[1] for row in found.rows]


def test_a_default_stands_for_what_is_absent_null_or_normalised_away() -> None:
    fields = {"name": "v", "type": "decimal(6,2)", "default": "1.5", "normalize": ["trim"]}
    records = [{"id": 1}, {"id": 2, "v": None}, {"id": 3, "v": " "}, {"id": 4, "v": " 2 "}]
    assert [row[1] for row in batch(records, fields).rows] == [Decimal("1.50")] * 3 + [Decimal("2.00")]


def test_a_default_does_not_stand_for_what_is_wrong() -> None:
    found = batch([{"id": 1, "v": "x"}], {"name": "v", "type": "integer", "default": 0})
    assert [(one.field, one.reason, one.excerpt, one.place, one.position) for one in found.rejected] == [
        ("v", "InvalidValue", "x", "page 3", 1)
    ]


@pytest.mark.parametrize(
    ("field", "made"),
    [
        ({"type": "text", "value": "web"}, "web"),
        ({"type": "integer", "value": 7}, 7),
        ({"type": "boolean", "value": "true"}, True),
        ({"type": "json", "value": '{"b": 1.10, "a": []}'}, '{"a":[],"b":1.10}'),
        ({"type": "text", "partition": True}, "5"),
        ({"type": "integer", "partition": True}, 5),
    ],
)
def test_constants_and_the_partition(field: dict[str, Any], made: Any) -> None:
    found = batch([{"id": 1, "v": "x"}, {"id": 2}], {"name": "v", **field}, partition="5")
    assert [row[1] for row in found.rows] == [made, made]


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ({"type": "integer", "value": "x"}, "spec.fields[v].value: 'x' is not an integer"),
        ({"type": "date", "default": "1/2/2026"}, "spec.fields[v].default: '1/2/2026' is not a date"),
        ({"type": "integer", "partition": True}, "spec.fields[v].partition: 'north' is not an integer"),
        ({"type": "json", "value": "{"}, "spec.fields[v].value: '{' is not JSON"),
    ],
)
def test_what_the_spec_itself_holds_must_have_the_type(field: dict[str, Any], said: str) -> None:
    with pytest.raises(StalledError, match=r".") as caught:
        batch([], {"name": "v", **field}, partition="north")
    assert said in caught.value.message


def test_without_partitions_the_partition_is_null() -> None:
    assert batch([{"id": 1}], {"name": "v", "type": "integer", "partition": True}).rows == [(1, None)]


def test_normalisers_come_before_the_type_and_before_what_is_required() -> None:
    assert column([" 1 2 ", None], type="integer", normalize=["digits"]) == [12, None]
    found = batch([{"id": 1, "v": "n/a"}], {"name": "v", "type": "text", "normalize": ["digits"], "required": True})
    assert [one.reason for one in found.rejected] == ["MissingValue"]


@pytest.mark.parametrize(
    ("path", "record", "made"),
    [
        ('"Order No"', {"Order No": "5"}, "5"),
        ('"a.b"."c d"', {"a.b": {"c d": "5"}}, "5"),
        ('"\\u00e4"', {"ä": "5"}, "5"),
        ("sum(items[].price)", {"items": [{"price": Decimal("1.10")}, {"price": 2}]}, "3.10"),
        ("sum(items)", {"items": [10**40, Decimal("0.1")]}, f"{10**40}.1"),
        ("max(items)", {"items": [Decimal("1.5"), 2]}, "2"),
        ("avg(items)", {"items": [Decimal("1.5"), 2]}, "1.75"),
        ("abs(v)", {"v": Decimal("-1234567890123456789012345678901.5")}, "1234567890123456789012345678901.5"),
        ("to_number(v)", {"v": "1234567890123456789.10"}, "1234567890123456789.10"),
        ("to_number(v)", {"v": "NaN"}, None),
        ("to_string(v)", {"v": {"a": Decimal("1.10")}}, '{"a":1.10}'),
        ("type(v)", {"v": Decimal("1.10")}, "number"),
        ("ceil(v)", {"v": Decimal("1.10")}, "2"),
        ("sort_by(items, &n)[0].n", {"items": [{"n": Decimal("2.5")}, {"n": Decimal("1.5")}]}, "1.5"),
        ("items[?price == `1.1`] | length(@)", {"items": [{"price": Decimal("1.1")}]}, "1"),
        ("items[?price < `1.1`] | length(@)", {"items": [{"price": Decimal("1.0999999999999999999")}]}, "1"),
    ],
)
def test_paths_are_exact(path: str, record: dict[str, Any], made: str | None) -> None:
    """Big integers and decimals through floats: never, in expressions either."""
    assert [row[1] for row in batch([{"id": 1, **record}], {"name": "v", "type": "text", "path": path}).rows] == [made]


@pytest.mark.parametrize(
    ("path", "value"), [("sum(v)", ["x"]), ("length(v)", 5), ("abs(v)", "x"), ("floor(v)", Decimal("1e999999999")), ("join('', v)", [1])]
)
def test_a_record_that_a_path_does_not_fit_is_set_aside_alone(path: str, value: Any) -> None:
    ok = {"id": 1, "v": None}
    found = batch([{"id": 2, "v": value}, ok], {"name": "n", "type": "text", "path": f"v && {path}"})
    assert ([row[0] for row in found.rows], [(one.field, one.reason) for one in found.rejected]) == ([1], [("n", "PathFailed")])


def test_a_record_that_the_cursors_path_does_not_fit_is_set_aside_alone() -> None:
    found = batch([{"id": 1, "at": ["2026"]}, {"id": 2, "at": 5}], cursor="max(at)")
    assert (found.cursors, [one.reason for one in found.rejected]) == (["2026"], ["PathFailed"])
