"""A file held open for reading, and whether it stayed as it was."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from syncsource.errors import AbortedError, PermanentError, RetryableError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.finding import missing
from syncsource.sources.files import Handed

BLOCK = 1 << 20
"""Bytes read at a time."""
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK  # without O_NONBLOCK a pipe waits for its writer
_ENTER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC  # O_PATH: to enter a folder it need not be readable


class Held:
    """An open file that is read from its beginning, as often as needed."""

    def __init__(self, name: str, file: BinaryIO, cancelled: threading.Event) -> None:
        self.name, self.file, self._cancelled = name, file, cancelled
        self._before = _look(file)
        self.size = self._before[0]

    def digest(self) -> str:
        """32 hex digits of its whole content."""
        self.file.seek(0)
        hashed = blake2b(digest_size=16)
        while block := self.file.read(BLOCK):
            self.go_on()
            hashed.update(block)
        self.file.seek(0)
        return hashed.hexdigest()

    def go_on(self) -> None:
        """Raises AbortedError (Cancelled)."""
        if self._cancelled.is_set():
            raise AbortedError("cancelled while reading files", reason="Cancelled")

    def check(self) -> None:
        """Raises RetryableError (FileChanged) where it was written to since it was opened."""
        if _look(self.file) != self._before:
            raise RetryableError(
                f"{outside_text(self.name)} changed while it was read, so that nothing of it was taken: it is read again; write files under "
                "another name and rename them when they are whole",
                reason=reasons.FILE_CHANGED,
            )


@contextmanager
def held(file: Handed, cancelled: threading.Event) -> Iterator[Held]:
    """The file, open. Raises PermanentError: FileNotFound, FileUnreadable, FileRefused (a folder, a pipe, a device)."""
    try:
        descriptor = _descended(file.path) if file.unlinked else os.open(file.path, _READ)
    except OSError as error:
        raise missing(file.name, error) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        kind = next((kind for test, kind in _KINDS if test(mode)), "no regular file")
        raise PermanentError(f"{outside_text(file.name)} is {kind}; name a file", reason=reasons.FILE_REFUSED)
    with os.fdopen(descriptor, "rb") as stream:
        yield Held(file.name, stream, cancelled)


def _descended(path: str) -> int:
    """The file opened folder by folder, following no link: between check and opening somebody may have put one there."""
    *folders, name = Path(path).parts
    at = os.open(folders[0], _ENTER)
    try:
        for folder in folders[1:]:
            before, at = at, os.open(folder, _ENTER | os.O_NOFOLLOW, dir_fd=at)
            os.close(before)
        return os.open(name, _READ | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)


def _look(file: BinaryIO) -> tuple[int, int]:
    now = os.fstat(file.fileno())
    return now.st_size, now.st_mtime_ns


_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
