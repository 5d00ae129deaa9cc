"""Pages become rows; what is no row is rejected with its reason, and nothing is dropped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.records.batch import Broken, Rejected
from syncsource.records.shape import Shape
from syncsource.resource.fields import FieldSpec

FIELDS = [
    FieldSpec(name="id", type="integer"),
    FieldSpec(name="total", path="amount.total", type="decimal(10,2)"),
    FieldSpec(name="first", path="tags[0]", type="text"),
    FieldSpec(name="street name", type="text"),
    FieldSpec(name="code", type="text", required=True),
]


def shape(cursor: str | None = None) -> Shape:
    return Shape(FIELDS, ["id"], cursor)


def test_rows_are_in_the_order_of_the_fields() -> None:
    record = {"id": 1, "amount": {"total": Decimal("1.5")}, "tags": ["x", "y"], "street name": "Main", "code": "c", "more": 1}
    batch = shape().batch([record])
    assert batch.rows == [(1, Decimal("1.50"), "x", "Main", "c")]
    assert (batch.read, batch.rejected, batch.cursor, batch.cursors) == (1, [], None, None)


def test_absent_and_null_are_null_on_the_whole_way() -> None:
    records: list[Any] = [
        {"id": 1, "code": "c"},
        {"id": 2, "code": "c", "amount": None, "tags": None},
        {"id": 3, "code": "c", "amount": 7, "tags": {}},
    ]
    assert [row[:3] for row in shape().batch(records).rows] == [(1, None, None), (2, None, None), (3, None, None)]


def test_each_fault_has_its_reason_and_the_rest_is_kept() -> None:
    records: list[Any] = [
        {"id": None, "code": "c"},
        "text",
        {"id": 2, "code": "c", "amount": {"total": "lots"}},
        {"id": 3},
        {"id": 4, "code": "c"},
    ]
    batch = shape().batch(records)
    assert [row[0] for row in batch.rows] == [4]
    assert batch.rejected == [
        Rejected('{"code":"c","id":null}', "MissingKey", "id: a field of the key is missing or null", "id", position=1),
        Rejected('"text"', "NotAnObject", "a record must be a JSON object, not str", position=2),
        Rejected(
            '{"amount":{"total":"lots"},"code":"c","id":2}',
            "InvalidValue",
            "total: 'lots' is not a decimal(10,2)",
            "total",
            "lots",
            position=3,
        ),
        Rejected('{"id":3}', "MissingValue", "code: a required field is missing or null", "code", position=4),
    ]


def test_what_a_source_could_not_make_out_keeps_its_own_reason() -> None:
    records: list[Any] = [{"id": 1, "code": "c"}, Broken("RaggedLine", "the line has 3 columns, the header 2", ["2", "c", "x"])]
    batch = shape().batch(records)
    assert (batch.read, [row[0] for row in batch.rows]) == (2, [1])
    assert batch.rejected == [Rejected('["2","c","x"]', "RaggedLine", "the line has 3 columns, the header 2", position=2, partial=True)]


def test_cursors_belong_to_their_rows() -> None:
    records: list[Any] = [{"id": 1, "code": "c", "at": 5}, {"id": "x", "code": "c", "at": 9}, {"id": 2, "code": "c"}]
    batch = shape("at").batch(records)
    assert batch.cursors == ["5", None]
    assert batch.cursor == "9", "a rejected record was read, too: it is in quarantine"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
        )
    )
)
def test_no_record_is_ever_lost(records: list[Any]) -> None:
    batch = shape().batch(records)
    assert batch.read == len(records) == len(batch.rows) + len(batch.rejected)


def test_what_is_taken_out_of_all_objects_at_once_is_what_each_says() -> None:
    """Members that are absent, null or something else on the way included."""
    fields = [
        FieldSpec(name="id", type="integer"),
        FieldSpec(name="net", path="a.b.net", type="integer"),
        FieldSpec(name="n", type="decimal(4,2)"),
    ]
    records: list[Any] = [
        {"id": 1, "a": {"b": {"net": 5}}, "n": Decimal("1.50")},
        {"id": 2, "a": {"b": {"net": None}}, "n": Decimal("-0.00")},
    ]
    others: list[Any] = [
        {"id": 3, "a": {"b": "x"}, "n": None},
        {"id": 4, "a": None, "n": 7},
        {"id": 5},
        {"id": 6, "a": [1], "n": Decimal("-7.25")},
    ]
    wanted = [
        (1, 5, Decimal("1.50")),
        (2, None, Decimal(0)),
        (3, None, None),
        (4, None, Decimal(7)),
        (5, None, None),
        (6, None, Decimal("-7.25")),
    ]
    made = Shape(fields, ["id"])
    assert made.batch(records + others).rows == wanted
    assert [row for record in records + others for row in made.batch([record]).rows] == wanted
    assert made.batch(records).rows == wanted[:2]
    assert str(list(made.batch(records).rows)[1][2]) == "0.00"
