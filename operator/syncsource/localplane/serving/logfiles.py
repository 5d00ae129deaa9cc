"""Reading a container's log files: from where, in what form, and across their rotation."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from syncsource.localplane.podlogs import ROTATED

BLOCK = 64 * 1024


class LogFiles:
    """What one start of a container wrote, in blocks of whole lines. `tail` is how many lines to begin with; None for all."""

    def __init__(self, path: Path, tail: int | None) -> None:
        self._path = path
        self._file: FileIO | None = None
        self._waiting = self._newer()
        self._rest = b""
        if tail is not None:
            for file in reversed(self._waiting):
                tail = _seek_last(file, tail)

    def close(self) -> None:
        for file in (self._file, *self._waiting):
            if file is not None:
                file.close()

    def blocks(self) -> Iterator[bytes]:
        """Everything that has come since the last call."""
        while True:
            data = self._file.read(BLOCK) if self._file is not None else b""
            if data:
                whole, newline, self._rest = (self._rest + data).rpartition(b"\n")
                yield whole + newline
            elif self._waiting:
                self._go_on()
            else:
                self._waiting = self._newer()
                if not self._waiting:
                    return  # else the file is read once more: what was written before it was rotated away is in it now

    def _go_on(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._rest:
            self._rest += b"\n"
        self._file = self._waiting.pop(0)

    def _newer(self) -> list[FileIO]:
        """The files after the one that is being read, the oldest first."""
        found: list[FileIO] = []
        for suffix in ("", ROTATED):
            with contextlib.suppress(FileNotFoundError):
                file = FileIO(self._path.with_name(self._path.name + suffix))
                if any(_same(file, known) for known in (self._file, *found) if known is not None):
                    file.close()
                    break
                found.insert(0, file)
        return found


def _same(file: FileIO, other: FileIO) -> bool:
    return os.path.samestat(os.fstat(file.fileno()), os.fstat(other.fileno()))


def _seek_last(file: FileIO, lines: int) -> int:
    """Place the file before its last `lines` lines; how many of them it lacks."""
    position, wanted = file.seek(0, os.SEEK_END), lines + 1
    while position > 0:
        size = min(BLOCK, position)
        position = file.seek(position - size)
        block, at = file.read(size), size
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
            if wanted == 0:
                file.seek(position + at + 1)
                return 0
    file.seek(0)
    return wanted - 1


class LogForm:
    """Turns lines of the files into what a client asked for: from `since` (as lines begin) on, at most `limit` bytes."""

    def __init__(self, *, since: bytes, timestamps: bool, limit: int | None) -> None:
        self._since, self._timestamps, self._left = since, timestamps, limit
        self._is_part = False

    @property
    def is_full(self) -> bool:
        return self._left == 0

    def shown(self, block: bytes) -> bytes:
        """What the client gets for a block of whole lines."""
        text = b"".join(self._line(line + b"\n") for line in block.split(b"\n")[:-1])
        if self._left is not None:
            text = text[: self._left]
            self._left -= len(text)
        return text

    def _line(self, line: bytes) -> bytes:
        stamp, _, after = line.partition(b" ")
        _, _, after = after.partition(b" ")
        tag, space, text = after.partition(b" ")
        if not space or tag not in (b"F", b"P"):
            return line
        begins, self._is_part = not self._is_part, tag == b"P"
        if stamp < self._since:
            return b""
        text = text[:-1] if self._is_part else text
        return stamp + b" " + text if self._timestamps and begins else text
