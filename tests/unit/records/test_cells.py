"""Rows of cells stand for records, as a whole, one by one and by column."""

from __future__ import annotations

import pytest

from syncsource.records.cells import Cells
from syncsource.records.shape import Shape
from syncsource.resource.fields import FieldSpec

NAMES = ["No", "Order Date", "a.b"]
ROWS = [["1", "", "x"], ["2", "n/a", ""], ["3", "2026-01-31", "NULL"]]


@pytest.mark.parametrize(
    ("nulls", "dates"),
    [
        (frozenset[str](), ["", "n/a", "2026-01-31"]),
        (frozenset([""]), [None, "n/a", "2026-01-31"]),
        (frozenset(["", "n/a"]), [None, None, "2026-01-31"]),
        (frozenset(["none of them"]), ["", "n/a", "2026-01-31"]),
    ],
)
def test_cells_are_records_with_nulls(nulls: frozenset[str], dates: list[str | None]) -> None:
    cells = Cells(NAMES, ROWS, nulls)
    assert cells.column("Order Date") == [record["Order Date"] for record in cells] == dates
    assert (len(cells), cells[1], cells[1:]) == (3, list(cells)[1], list(cells)[1:])
    assert cells.column("nowhere") == [None, None, None]


def test_no_rows_have_empty_columns() -> None:
    cells = Cells(NAMES, [], frozenset([""]))
    assert (list(cells), cells.column("No")) == ([], [])


def test_a_shape_makes_of_cells_what_it_makes_of_objects() -> None:
    fields = [
        FieldSpec(name="No", type="integer"),
        FieldSpec(name="day", path='"Order Date"', type="date"),
        FieldSpec(name="dotted", path='"a.b"', type="text"),
        FieldSpec(name="inner", path="a.b", type="text"),
        FieldSpec(name="made", path="join('-', [No, \"a.b\" || 'none'])", type="text"),
    ]
    cells = Cells(NAMES, ROWS, frozenset([""]))
    batch = Shape(fields, ["No"]).batch(cells, "a.csv", [2, 3, 4])
    assert batch == Shape(fields, ["No"]).batch(list(cells), "a.csv", [2, 3, 4])
    assert [row[2:] for row in batch.rows] == [("x", None, "1-x"), ("NULL", None, "3-NULL")]
    assert [(one.reason, one.position) for one in batch.rejected] == [("InvalidValue", 3)]


def test_cells_may_hold_any_values() -> None:
    """Objects and lists among them, which paths lead into."""
    cells = Cells(["id", "data"], [(1, {"total": {"net": 5}}), (2, None), (3, [1])])
    fields = [FieldSpec(name="id", type="integer"), FieldSpec(name="net", path="data.total.net", type="integer")]
    assert list(cells) == [{"id": 1, "data": {"total": {"net": 5}}}, {"id": 2, "data": None}, {"id": 3, "data": [1]}]
    assert Shape(fields, ["id"]).batch(cells).rows == [(1, 5), (2, None), (3, None)]


@pytest.mark.parametrize("nulls", [frozenset([""]), frozenset(["", "NULL"])])
def test_cells_that_a_short_line_lacks_are_null(nulls: frozenset[str]) -> None:
    """``onRagged: Fill`` puts them there; no null value stands in the column beside them."""
    cells = Cells(["id", "name"], [["1", "x"], ["2", None]], nulls)
    fields = [FieldSpec(name="id", type="integer"), FieldSpec(name="name", type="text", required=True)]
    batch = Shape(fields, ["id"]).batch(cells)
    assert (batch.rows, [one.reason for one in batch.rejected]) == ([(1, "x")], ["MissingValue"])
    assert Shape([fields[0], FieldSpec(name="name", type="json")], ["id"]).batch(cells).rows == [(1, '"x"'), (2, None)]
