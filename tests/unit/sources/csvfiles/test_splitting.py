"""Plain lines are cut up without the csv module: to what that makes of them, or not at all."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsource.sources.csvfiles.dialect import Dialect
from syncsource.sources.csvfiles.lines import split

COMMA = Dialect(",", '"', None, trim=False)


@given(
    st.lists(
        st.lists(st.text(st.sampled_from("ab,;\t\"'\\\r\n \x00é\x0b\u2028"), max_size=3), min_size=1, max_size=4), min_size=1, max_size=6
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([",", ";", "\t", "|"]),
    st.booleans(),
)
def test_it_is_what_the_csv_module_makes_of_it(table: list[list[str]], newline: str, delimiter: str, ended: bool) -> None:
    dialect = Dialect(delimiter, '"', "\\", trim=False)
    block = newline.join(delimiter.join(row) for row in table) + newline * ended
    for width in range(5):
        columns = split(block, dialect, width)
        if columns is not None:
            rows = list(dialect.reader(io.StringIO(block, newline="")))
            assert list(zip(*columns, strict=True)) == list(map(tuple, rows))
            assert all(map(any, rows))
            assert {len(row) for row in rows} == {width}


def test_plain_lines_are_cut_up() -> None:
    wanted = [["1", "2"], ["", "b"]]
    for block in ("1,\n2,b\n", "1,\r\n2,b\r\n", "1,\n2,b"):
        assert split(block, COMMA, 2) == wanted


@pytest.mark.parametrize(
    "block",
    ["1,2\n3\n", "1,2,3\n", "1\n2,3,4\n", "1,2\n\n3,4\n", "1,2\n,\n", '1,"2"\n', "1,2\r3,4\n", "\n", "", "1,2\n3,4,5\n6\n"],
)
def test_lines_with_anything_else_are_left_to_the_csv_module(block: str) -> None:
    assert split(block, COMMA, 2) is None


def test_a_block_that_is_longer_than_a_cell_may_be_is_left_to_it() -> None:
    assert split("x" * (csv.field_size_limit() + 1) + ",y\n", COMMA, 2) is None
