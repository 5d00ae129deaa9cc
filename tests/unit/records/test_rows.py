"""Rows held by column are as good as a list of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from syncsource.records.columns import Texts, Written, has_nulls, kinds
from syncsource.records.rows import Rows

ROWS = [(1, "a"), (2, None), (3, "c")]


def test_rows_are_the_rows_they_were_made_of() -> None:
    rows = Rows.of(ROWS)
    assert rows == ROWS
    assert list(rows) == ROWS
    assert repr(rows) == repr(ROWS)
    assert (len(rows), rows[1], rows[-1], rows[1:]) == (3, ROWS[1], ROWS[-1], ROWS[1:])
    assert Rows.of(rows) is rows
    assert rows != [(1, "a")]
    assert rows != 5


def test_parts_are_joined_in_their_order() -> None:
    assert Rows.joined([]) == () == Rows.joined([[]])
    assert Rows.joined([[], ROWS]) is ROWS
    assert Rows.joined([Rows.of(ROWS[:1]), [], ROWS[1:]]) == ROWS


def test_what_is_known_of_all_parts_of_a_column_stays_known() -> None:
    typed, untyped = Written(["1.50"], Decimal, [Decimal("1.50")]), Written(["2"], Decimal)
    rows = Rows.joined([Rows([typed, Texts("a")]), Rows([untyped, Texts("b")])])
    assert isinstance(rows, Rows)
    numbers, texts = rows.columns
    assert isinstance(numbers, Written)
    assert (numbers.texts, numbers.values, type(texts)) == (["1.50", "2"], [Decimal("1.50"), Decimal(2)], Texts)
    mixed = Rows.joined([Rows([untyped, Texts("a")]), Rows([[None], [None]])])
    assert mixed == [(Decimal(2), "a"), (None, None)]


def test_numbers_that_are_written_out_are_numbers() -> None:
    written = Written(["1.50", "2"], Decimal)
    assert written == [Decimal("1.50"), Decimal(2)]
    assert list(written) == written.values
    assert (len(written), written[0], written[1:].texts) == (2, Decimal("1.50"), ["2"])
    assert min(written) == Decimal("1.50")
    assert written != [1]
    assert Rows([written])[0] == (Decimal("1.50"),)
    with pytest.raises(TypeError):
        hash(written)


def test_what_is_known_of_a_column_is_not_looked_for() -> None:
    assert (kinds(Texts(["a"])), kinds(["a", None])) == ({str}, {str, type(None)})
    assert [has_nulls(column) for column in (Texts(["a"]), Written(["1"], int), [1, None], [1])] == [False, False, True, False]
    assert [has_nulls(column) for column in (["", "a"], [0, None], [Decimal(0), Decimal(1)], [])] == [False, True, False, False]
