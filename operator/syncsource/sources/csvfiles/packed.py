"""gzip (RFC 1952) and zip, told by their first bytes whatever the file is called, and bounded against bombs."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import BinaryIO, Protocol, cast

from syncsource.errors import PermanentError, RetryableError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.holding import Held

ALWAYS = 100_000_000
"""Bytes that any file may unpack to."""
RATIO = 250
"""Times its own size that a larger one may."""
MOST_MEMBERS = 10_000
LONGEST_LIST = 8 * 1024 * 1024
"""Bytes of an archive's list of members, each of which takes ten times as many in memory."""

_WORKBOOK = "save it as CSV from the spreadsheet program"


@dataclass(frozen=True, slots=True)
class Member:
    """One text within a file: the file itself, unpacked, or one of an archive."""

    name: str
    open: Callable[[], BinaryIO]
    """The text's bytes from the beginning, as often as asked. What they raise while they are read is a SyncError."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def members(held: Held, pattern: str | None) -> list[Member]:
    """What there is to read in a file. ``pattern``: of the names in a zip archive; None: all of them.

    Raises PermanentError (FileDamaged, FileRefused, NotText).
    """
    held.file.seek(0)
    magic = held.file.read(8)
    if magic.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _archived(held, pattern)
    if magic.startswith(b"\x1f\x8b"):
        return [Member(held.name, lambda: _stream(held, held.name, _gunzip(held), held.size))]
    if magic.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise PermanentError(f"{outside_text(held.name)} is an Excel workbook, not a text: {_WORKBOOK}", reason=reasons.NOT_TEXT)
    return [Member(held.name, lambda: _stream(held, held.name, _plain(held), None))]


def _plain(held: Held) -> _Readable:
    held.file.seek(0)
    return held.file


def _gunzip(held: Held) -> _Readable:
    held.file.seek(0)
    return gzip.GzipFile(fileobj=held.file, mode="rb")


def _archived(held: Held, pattern: str | None) -> list[Member]:
    with _translated(held.name):
        archive = zipfile.ZipFile(cast(BinaryIO, _Archive(held)))
    if "[Content_Types].xml" in archive.namelist():
        raise PermanentError(f"{outside_text(held.name)} is an Excel workbook, not a text: {_WORKBOOK}", reason=reasons.NOT_TEXT)
    infos = [info for info in archive.infolist() if _wanted(info.filename, pattern)]
    if not infos:
        raise PermanentError(
            f"{outside_text(held.name)} has no files" + (f" like {pattern} (spec.source.csv.members)" if pattern else "") + " in it",
            reason=reasons.FILE_NOT_FOUND,
        )
    if len(infos) > MOST_MEMBERS:
        raise _too_many(held.name)
    if sum(info.file_size for info in infos) > max(ALWAYS, RATIO * held.size):  # no member gives more than it declares
        raise _bomb(held.name)
    return [_member(held, archive, info) for info in sorted(infos, key=lambda info: info.filename)]


def _member(held: Held, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    name = f"{held.name}/{info.filename}"
    if info.flag_bits & 1:
        raise PermanentError(f"{outside_text(name)} is encrypted; pack it without a password", reason=reasons.FILE_REFUSED)

    def opened() -> BinaryIO:
        with _translated(name):
            return _stream(held, name, archive.open(info), info.compress_size)

    return Member(name, opened)


def _wanted(name: str, pattern: str | None) -> bool:
    """Files, but not those that macOS and hidden folders add."""
    parts = name.split("/")
    if not parts[-1] or any(part.startswith(".") or part == "__MACOSX" for part in parts):
        return False
    return pattern is None or fnmatchcase(name, pattern) or fnmatchcase(parts[-1], pattern)


class _Bounded(io.RawIOBase):
    """Bytes of ``inner``, which stays open; its errors as ours, and no more bytes than are believable."""

    def __init__(self, held: Held, name: str, inner: _Readable, most: float) -> None:
        self._held, self._name, self._inner, self._most, self._count = held, name, inner, most, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        assert isinstance(buffer, memoryview)
        self._held.go_on()
        with _translated(self._name):
            block = self._inner.read(len(buffer))
        self._count += len(block)
        if self._count > self._most:
            raise _bomb(self._name)
        buffer[: len(block)] = block
        return len(block)


class _Archive:
    """The file, for zipfile, which reads all of its list of members at once."""

    def __init__(self, held: Held) -> None:
        self._name, self._file = held.name, held.file
        self.seek, self.tell, self.seekable = held.file.seek, held.file.tell, held.file.seekable

    def read(self, size: int = -1) -> bytes:
        """Raises PermanentError (TooManyFiles) where so much is wanted that it must be the list."""
        if size > LONGEST_LIST:
            raise _too_many(self._name)
        return self._file.read(size)


def _too_many(name: str) -> PermanentError:
    return PermanentError(f"{outside_text(name)} holds more than {MOST_MEMBERS:,} files", reason=reasons.TOO_MANY_FILES)


def _bomb(name: str) -> PermanentError:
    return PermanentError(
        f"{outside_text(name)} unpacks to more than {RATIO} times its size and {ALWAYS:,} bytes, as no honest file does; if it is one, unpack it",
        reason=reasons.FILE_TOO_LARGE,
    )


def _stream(held: Held, name: str, inner: _Readable, packed: int | None) -> BinaryIO:
    most = float("inf") if packed is None else max(ALWAYS, RATIO * packed)
    return io.BufferedReader(_Bounded(held, name, inner, most), 1 << 16)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    shown = outside_text(name)
    try:
        yield
    except EOFError:
        raise RetryableError(
            f"{shown} is cut off: its packed data has no end; put the whole file there", reason=reasons.FILE_DAMAGED
        ) from None
    except (zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise PermanentError(f"{shown} can't be unpacked: {outside_text(str(error))}; pack it again", reason=reasons.FILE_DAMAGED) from None
    except OSError as error:
        raise PermanentError(f"{shown} can't be read: {error.strerror or error}; mend that", reason=reasons.FILE_UNREADABLE) from None
