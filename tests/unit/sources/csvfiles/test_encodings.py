"""Texts in any encoding: marked, declared, UTF-8, detected; and bytes that are in none."""

from __future__ import annotations

import codecs

import pytest

from tests.unit.sources.csvfiles.conftest import Folder

TEXT = "Straße;Betrag\nMüller – Café;1,50 €\n"
RECORD = {"Straße": "Müller – Café", "Betrag": "1,50 €"}


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
@pytest.mark.parametrize("declared", [{}, {"encoding": "cp1252"}])
def test_a_byte_order_mark_says_the_encoding_whatever_is_declared(
    folder: Folder, mark: bytes, encoding: str, declared: dict[str, str]
) -> None:
    folder.put("a.csv", mark + TEXT.encode(encoding))
    assert folder.records(**declared) == [RECORD]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "cp1252"])
def test_without_a_mark_the_encoding_is_found_out(folder: Folder, encoding: str) -> None:
    folder.put("a.csv", TEXT, encoding)
    assert folder.records() == [RECORD]


@pytest.mark.parametrize("encoding", ["cp1250", "cp437", "shift_jis", "utf-16-le", "koi8-r", "utf-8"])
def test_a_declared_encoding_is_taken(folder: Folder, encoding: str) -> None:
    word = {"cp1250": "Łódź", "cp437": "Müller", "shift_jis": "東京都", "koi8-r": "Москва"}.get(encoding, "née")
    folder.put("a.csv", f"No,City\n1,{word}\n", encoding)
    assert folder.records(encoding=encoding) == [{"No": "1", "City": word}]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Jürgen;Köln"),
        ("cp1252", "Anna;5 €"),
        ("cp1252", "“Ana”;so – 5°"),
        ("cp1250", "Příliš žluťoučký kůň;úpěl ďábelské ódy"),
        ("cp1251", "Иванов Пётр;улица Ленина, Москва"),
        ("cp1253", "Γιώργος Παπαδόπουλος;Αθήνα"),
        ("shift_jis", "山田太郎;東京都新宿区"),
        ("gb18030", "张三丰先生;北京市海淀区"),
        ("euc_kr", "김철수 선생님;서울특별시"),
    ],
)
def test_an_encoding_is_detected_and_told(folder: Folder, caplog: pytest.LogCaptureFixture, encoding: str, text: str) -> None:
    folder.put("a.csv", "Name;City\n" + "plain;text\n" * 1000 + f"{text}\n" * 3, encoding)
    name, city = text.split(";")
    assert folder.records()[-1] == {"Name": name, "City": city}
    assert f"a.csv is not UTF-8; it is read as {encoding}, which is a guess: declare spec.source.csv.encoding to be sure" in caplog.text


def test_a_byte_far_down_in_the_file_counts_too(folder: Folder) -> None:
    folder.put("a.csv", b"Name;City\n" + b"plain;text\n" * 100_000 + "Jürgen;Köln\n".encode("cp1252"))
    assert folder.records()[-1] == {"Name": "Jürgen", "City": "Köln"}


def test_a_character_may_lie_across_two_blocks(folder: Folder) -> None:
    folder.put("a.csv", "Name\n" + "x" * (2**20 - 6) + "é\n")
    assert folder.records()[0]["Name"].endswith("xé")


def test_lines_with_bytes_that_are_not_in_the_encoding_are_kept_aside(folder: Folder) -> None:
    folder.put("a.csv", b"No,Name\n1,ok\n2,J\xfcrgen\n3,ok\n")
    assert folder.lines(encoding="utf-8") == [(2, ""), (3, "NotText"), (4, "")]
    broken = folder.records(encoding="utf-8")[1]
    assert broken.record == ["2", "J\\xfcrgen"]
    assert broken.message == "the record of line 3 has bytes that are not in the file's encoding; declare spec.source.csv.encoding"


def test_a_header_with_such_bytes_is_shown_escaped(folder: Folder) -> None:
    folder.put("a.csv", b"No,Stra\xdfe\n1,ok\n")
    assert "it has: No, Stra\\xdfe" in folder.failure("Name", encoding="utf-8")[2]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (codecs.BOM_UTF16_LE + b"a\0,\0b", "is not utf-16, as its first bytes say; declare the encoding it has"),
        (bytes(range(256)) * 64, "is not UTF-8, and no text in an encoding that can be told"),
        (
            b"%PDF-1.7\n" + bytes((number * 97 + 13) % 256 for number in range(5000)),
            "is not UTF-8, and no text in an encoding that can be told",
        ),
        (b"a,b\n" + b"x" * 5_000_000, "has a line of more than 4,194,304 bytes: it is not a file of lines"),
    ],
)
def test_what_is_no_text_is_refused(folder: Folder, content: bytes, words: str) -> None:
    folder.put("a.csv", content)
    kind, _, message = folder.failure()
    assert kind == "PermanentError"
    assert words in message
