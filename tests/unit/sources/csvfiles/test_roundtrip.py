"""Whatever the csv module writes comes back exactly, in any dialect and encoding, each record with the line where it begins."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.sources.csvfiles.records import BLOCK
from tests.unit.sources.csvfiles.conftest import Folder

_ALPHABETS = {
    "utf-8": st.characters(exclude_categories=("Cs",)),
    "utf-8-sig": st.characters(exclude_categories=("Cs",)),
    "utf-16": st.characters(exclude_categories=("Cs",)),
    "cp1252": st.sampled_from("aä€ß\"',;|\t\\\n\r #\x00"),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    encoding = draw(st.sampled_from(sorted(_ALPHABETS)))
    width = draw(st.integers(1, 4))
    cell = st.text(_ALPHABETS[encoding] | st.sampled_from("\"',;\n\r\\"), max_size=8)
    rows = draw(st.lists(st.lists(cell, min_size=width, max_size=width).filter(any), max_size=20))
    return encoding, rows


@given(
    tables(),
    st.sampled_from(",;\t|~"),
    st.sampled_from("\"'"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([1, 20, BLOCK]),
)
@settings(max_examples=40, deadline=None)
def test_what_the_csv_module_writes_comes_back_exactly(
    table: tuple[str, list[list[str]]], delimiter: str, quote: str, newline: str, everything: bool, block: int
) -> None:
    encoding, rows = table
    names = [f"c{number}" for number in range(len(rows[0]) if rows else 1)]
    text = io.StringIO(newline="")
    everything = everything or any("\r" in cell for row in rows for cell in row)  # the writer quotes its own newline only
    style: Any = csv.QUOTE_ALL if everything else csv.QUOTE_MINIMAL
    writer = csv.writer(text, delimiter=delimiter, quotechar=quote, lineterminator=newline, quoting=style)
    starts = []
    for row in (names, *rows):
        starts.append(1 + len(re.findall(r"\r\n|\r|\n", text.getvalue())))
        writer.writerow(row)
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr("syncsource.sources.csvfiles.records.BLOCK", block)
        folder = Folder(Path(name))
        folder.put("a.csv", text.getvalue(), encoding)
        pages = folder.pages(delimiter=delimiter, quote=quote, encoding=encoding, nullValues=[])
        assert [list(record.values()) for page in pages for record in page.records] == rows
        assert [position for page in pages for position in page.positions or ()] == starts[1:]
