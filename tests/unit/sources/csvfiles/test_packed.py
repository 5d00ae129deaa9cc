"""gzip and zip, whatever the file is called; cut, damaged, encrypted and hostile ones."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable

import pytest

from tests.unit.sources.csvfiles.conftest import Folder

TEXT = b"No,Name\n1,x\n"
RECORD = {"No": "1", "Name": "x"}


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def test_gzip_is_told_by_its_first_bytes(folder: Folder) -> None:
    folder.put("a.csv", gzip.compress(TEXT))
    folder.put("b.csv", gzip.compress(TEXT[:8]) + gzip.compress(TEXT[8:]))
    assert folder.records() == [RECORD, RECORD]


def test_all_members_of_a_zip_are_read_in_the_order_of_their_names(folder: Folder) -> None:
    names = {"b.csv": TEXT, "in/a.csv": b"No;Name\n2;y\n", "__MACOSX/._b.csv": b"\0", ".DS_Store": b"\0", "empty/": b""}
    folder.put("all.csv", zipped(**names))
    pages = folder.pages()
    assert [(page.place, list(page.records)) for page in pages] == [
        ("all.csv/b.csv", [RECORD]),
        ("all.csv/in/a.csv", [{"No": "2", "Name": "y"}]),
    ]


def test_some_members_of_a_zip_can_be_chosen(folder: Folder) -> None:
    folder.put("all.csv", zipped(**{"orders.csv": TEXT, "readme.txt": b"not a table\n"}))
    assert folder.records(members="*.csv") == [RECORD]
    assert folder.failure(members="*.tsv")[1:] == ("FileNotFound", "all.csv has no files like *.tsv (spec.source.csv.members) in it")


@pytest.mark.parametrize("pack", [gzip.compress, lambda content: zipped(a=content)])
def test_a_bomb_is_cut_off(folder: Folder, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncsource.sources.csvfiles.packed.ALWAYS", 100_000)
    folder.put("a.csv", pack(b"No\n" + b"1\n" * 40_000))
    assert len(folder.records()) == 40_000
    folder.put("a.csv", pack(b"No\n" + b"1\n" * 60_000))
    kind, reason, message = folder.failure()
    assert (kind, reason) == ("PermanentError", "FileTooLarge")
    assert "unpacks to more than 250 times its size and 100,000 bytes" in message


def test_many_small_bombs_are_one(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncsource.sources.csvfiles.packed.ALWAYS", 1000)
    monkeypatch.setattr("syncsource.sources.csvfiles.packed.RATIO", 2)
    folder.put("a.csv", zipped(all=b"No\n1\n", big=b"\n" * 900, more=b"\n" * 900))
    kind, reason, message = folder.failure()
    assert (kind, reason) == ("PermanentError", "FileTooLarge")
    assert message.startswith("a.csv unpacks to more than 2 times its size and 1,000 bytes")


def test_a_list_of_very_many_members_is_not_held(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncsource.sources.csvfiles.packed.LONGEST_LIST", 10_000)
    folder.put("a.csv", zipped(**{f"{number}": b"" for number in range(300)}))
    assert folder.failure() == ("PermanentError", "TooManyFiles", "a.csv holds more than 10,000 files")


def test_a_gzip_that_is_cut_off_may_be_whole_later(folder: Folder) -> None:
    folder.put("a.csv", gzip.compress(TEXT * 1000)[:-20])
    kind, reason, message = folder.failure()
    assert (kind, reason) == ("RetryableError", "FileDamaged")
    assert message == "a.csv is cut off: its packed data has no end; put the whole file there"


def damaged(content: bytes) -> bytes:
    """The same with a wrong checksum."""
    checksum = zlib.crc32(TEXT).to_bytes(4, "little")
    return content.replace(checksum, b"\1\2\3\4")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (damaged(gzip.compress(TEXT, mtime=0)), "can't be unpacked: CRC check failed"),
        (damaged(zipped(a=TEXT)), "can't be unpacked: Bad CRC-32"),
        (gzip.compress(TEXT, mtime=0)[:10] + b"\xff" * 40, "can't be unpacked"),
        (zipped(a=TEXT)[:-10], "can't be unpacked: File is not a zip file"),
        (zipped(), "has no files in it"),
        (zipped(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}), "is an Excel workbook, not a text: save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "is an Excel workbook, not a text: save it as CSV"),
        (zipped(a=TEXT).replace(b"\x14\x00\x00\x00", b"\x14\x00\x01\x00"), "is encrypted; pack it without a password"),
    ],
)
def test_what_can_not_be_unpacked_is_told(folder: Folder, content: bytes, words: str) -> None:
    folder.put("a.csv", content)
    kind, _, message = folder.failure()
    assert kind == "PermanentError"
    assert words in message
