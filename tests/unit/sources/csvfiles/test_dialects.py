"""What spreadsheets and databases export comes as it was meant, and what is wrong with a line is told with its number."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.records.batch import Broken
from tests.unit.sources.csvfiles.conftest import Folder


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_told_from_the_first_lines(folder: Folder, separator: str) -> None:
    rows = [["No", "Name", "Total"], ["1", 'A "quoted" name', "1.50"], ["2", "x, y; z", "2"]]
    folder.put("a.csv", "\r\n".join(separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows))
    assert [list(record.values()) for record in folder.records()] == rows[1:]


def test_decimal_commas_are_no_separators(folder: Folder) -> None:
    folder.put("a.csv", "No;Net;Gross\n1;1,50;2,00\n2;3,25;4,00\n")
    assert folder.records() == [{"No": "1", "Net": "1,50", "Gross": "2,00"}, {"No": "2", "Net": "3,25", "Gross": "4,00"}]


def test_a_comma_in_one_header_does_not_win_over_the_separator(folder: Folder) -> None:
    folder.put("a.csv", "Name, first;Net\nAnn;1,5\nBob;2,5\n")
    assert folder.records()[0] == {"Name, first": "Ann", "Net": "1,5"}


def test_one_column_needs_no_separator(folder: Folder) -> None:
    folder.put("a.csv", "No\n1\n2\n")
    assert folder.records() == [{"No": "1"}, {"No": "2"}]


def test_excel_says_its_separator(folder: Folder) -> None:
    folder.put("a.csv", "sep=|\r\nNo|Name\r\n1|a;b;c\r\n")
    assert folder.records() == [{"No": "1", "Name": "a;b;c"}]
    assert folder.lines() == [(3, "")]


@pytest.mark.parametrize(
    ("options", "text", "record"),
    [
        ({"delimiter": "~"}, "a~b\n1~2\n", {"a": "1", "b": "2"}),
        ({"quote": "'"}, "a,b\n'1,5',2\n", {"a": "1,5", "b": "2"}),
        ({"quote": ""}, 'a,b\n5" nail,2\n', {"a": '5" nail', "b": "2"}),
        ({"escape": "\\"}, 'a,b\n"say \\"x\\"",\\,\n', {"a": 'say "x"', "b": ","}),
        ({"header": False, "columns": ["x", "y"]}, "1,2\n", {"x": "1", "y": "2"}),
        ({"skipLines": 2}, "Report\nof today, with commas,,,,\na,b\n1,2\n", {"a": "1", "b": "2"}),
        ({"comment": "#"}, '# made by "x\na,b\n# more\n1,2\n', {"a": "1", "b": "2"}),
        ({"nullValues": ["", "NULL", "n/a"]}, "a,b,c,d\nNULL,n/a,,0\n", {"a": None, "b": None, "c": None, "d": "0"}),
        ({"nullValues": []}, "a,b\n1,\n", {"a": "1", "b": ""}),
        ({"trim": True}, "a,b\n  1 , \t\n", {"a": "1", "b": None}),
        ({"trim": True}, 'a,b\n1, "x, y"\n', {"a": "1", "b": "x, y"}),
        ({}, "a,b\n  1 , 2\n", {"a": "  1 ", "b": " 2"}),
    ],
)
def test_an_option_does_what_it_says(folder: Folder, options: dict[str, Any], text: str, record: dict[str, Any]) -> None:
    folder.put("a.csv", text)
    assert folder.records(**options) == [record]


def test_a_comment_sign_within_a_quoted_cell_is_content(folder: Folder) -> None:
    folder.put("a.csv", 'a,b\n"one\n# two",2\n#3,4\n5,6\n')
    assert folder.records(comment="#") == [{"a": "one\n# two", "b": "2"}, {"a": "5", "b": "6"}]
    assert folder.lines(comment="#") == [(2, ""), (5, "")]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_newlines_of_every_kind_and_a_last_line_without_one(folder: Folder, newline: str, last: bool) -> None:
    folder.put("a.csv", newline.join(["No,Note", f'1,"two{newline}lines"', "2,x"]) + newline * last)
    assert folder.records() == [{"No": "1", "Note": f"two{newline}lines"}, {"No": "2", "Note": "x"}]
    assert folder.lines() == [(2, ""), (4, "")]


def test_header_names_lose_white_space_and_are_numbered_where_they_repeat_or_are_empty(folder: Folder) -> None:
    folder.put("a.csv", " Order No ,Phone,Phone,,Phone_2,Phone\n1,2,3,4,5,6\n")
    assert folder.records() == [{"Order No": "1", "Phone": "2", "Phone_3": "3", "column_4": "4", "Phone_2": "5", "Phone_4": "6"}]


def test_a_column_that_a_field_names_must_be_there_or_rows_would_be_emptied(folder: Folder) -> None:
    folder.put("a.csv", "Order No,Telephone\n1,2\n")
    kind, reason, message = folder.failure('"Order No"', "Phone")
    assert (kind, reason) == ("SchemaMismatch", "SchemaMismatch")
    assert message.startswith("a.csv has no column 'Phone' (field f1); it has: Order No, Telephone; mend spec.fields[].path")


def test_an_expression_says_itself_what_an_absent_column_is(folder: Folder) -> None:
    folder.put("a.csv", "Order No\n1\n")
    assert folder.records('"Order No"', '"Phone" || `""`') == [{"Order No": "1"}]


def test_ragged_lines_are_kept_aside_with_their_numbers_and_the_rest_goes_on(folder: Folder) -> None:
    folder.put("a.csv", 'No,Note\n1,"two\nlines"\n2\n3,x,y\n4,z\n')
    assert folder.lines() == [(2, ""), (4, "RaggedLine"), (5, "RaggedLine"), (6, "")]
    _, short, long, _ = folder.records()
    assert short == Broken("RaggedLine", "the record of line 4 has 1 cell, and there are 2 columns", ["2"])
    assert long == Broken("RaggedLine", "the record of line 5 has 3 cells, and there are 2 columns", ["3", "x", "y"])


def test_ragged_lines_can_be_filled_but_not_cut(folder: Folder) -> None:
    folder.put("a.csv", "No,Note\n1\n2,x,,\n3,x,y\n")
    assert folder.records(onRagged="Fill")[:2] == [{"No": "1", "Note": None}, {"No": "2", "Note": "x"}]
    assert folder.lines(onRagged="Fill") == [(2, ""), (3, ""), (4, "RaggedLine")]


def test_a_malformed_line_is_kept_aside_and_the_next_one_is_read(folder: Folder) -> None:
    folder.put("a.csv", 'No,Note\n1,"5" nails\n2,x\n3,"two\nli"nes\n4,y\n')
    assert folder.lines() == [(2, "MalformedLine"), (3, ""), (4, "MalformedLine"), (6, "")]
    assert folder.records()[2].record == '3,"two\nli"nes\n'


def test_a_quote_that_is_never_closed_ends_the_read_with_its_line(folder: Folder) -> None:
    folder.put("a.csv", 'No,Note\n1,x\n2,"open\n3,y\n4,z\n')
    assert folder.failure() == (
        "PermanentError",
        "FileDamaged",
        "a.csv: a quote that opens in the record of line 3 is not closed: the file is cut off, or that line is to be mended",
    )


def test_a_cell_of_megabytes_is_an_open_quote(folder: Folder) -> None:
    folder.put("a.csv", 'No,Note\n1,"' + "long line\n" * 500_000 + '"\n')
    assert "opens in the record of line 2 is not closed" in folder.failure()[2]


def test_blank_lines_are_no_records(folder: Folder, caplog: pytest.LogCaptureFixture) -> None:
    folder.put("a.csv", "\n;;\nNo;Note\n\n1;x\n;\n;\n")
    with caplog.at_level("INFO", "syncsource"):
        assert folder.records() == [{"No": "1", "Note": "x"}]
    assert folder.lines() == [(5, "")]
    assert "a.csv: 3 blank lines left out" in caplog.text


def test_nul_characters_pass_to_the_types_which_refuse_them_where_they_must(folder: Folder) -> None:
    folder.put("a.csv", "No,Note\n1,a\x00b\n")
    assert folder.records() == [{"No": "1", "Note": "a\x00b"}]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty: there is not even a header"),
        ("\n\n", "is empty: there is not even a header"),
        ('a,"b"c\n1,2\n', "has a malformed header"),
        (",".join(map(str, range(2001))) + "\n1\n", "has a header of 2,001 cells; more than 2,000 columns are not read"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(folder: Folder, text: str, words: str) -> None:
    folder.put("a.csv", text)
    kind, _, message = folder.failure()
    assert kind == "SchemaMismatch"
    assert words in message


def test_a_file_of_nothing_but_a_header_has_no_records(folder: Folder) -> None:
    folder.put("a.csv", "No,Note\n")
    assert folder.records() == []


def test_pages_end_by_rows_and_by_size(folder: Folder) -> None:
    folder.put("rows.csv", "No\n" + "".join(f"{number}\n" for number in range(12_000)))
    folder.put("wide.csv", "No\n" + "".join(f"{number}{'x' * 3_000_000}\n" for number in range(3)))
    assert [(page.place, len(page.records)) for page in folder.pages()] == [
        ("rows.csv", 5000),
        ("rows.csv", 5000),
        ("rows.csv", 2000),
        ("wide.csv", 1),
        ("wide.csv", 1),
        ("wide.csv", 1),
    ]


def test_a_record_that_quoted_newlines_keep_open_ends_somewhere(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncsource.sources.csvfiles.lines.LONGEST_RECORD", 1000)
    folder.put("a.csv", "No\n1\n" + '"\n",' * 250 + "\n")
    assert folder.failure() == (
        "PermanentError",
        "FileTooLarge",
        "a.csv: the record of line 3 has more than 1,000 characters: it is no record of a table, or its quotes are to be mended",
    )


def test_of_a_line_with_very_many_cells_the_beginning_is_kept(folder: Folder) -> None:
    folder.put("a.csv", "No\n" + "x," * 100_000 + "\n")
    (broken,) = folder.records()
    assert broken == Broken("RaggedLine", "the record of line 2 has 100,001 cells, and there are 1 columns", ["x"] * 2000)
