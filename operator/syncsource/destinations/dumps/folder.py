"""A directory with copies of a table: a copy counts only with the note beside it, which is written last."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

import msgspec

from syncsource.errors import PermanentError, RetryableError, SyncError

_NOTE, _PARTIAL = ".json", ".partial"
_FULL = frozenset((28, 122))
"""ENOSPC, EDQUOT."""


class Note(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a copy is. Unknown members are those of a later version."""

    id: str
    run: str
    database: str
    """Its kind and place, without user and password."""
    schema: str | None
    table: str
    rows: int
    columns: dict[str, str]
    """With their types."""
    file: str
    """Its name, beside this one's."""
    size: int
    sha256: str


_encoded, _note = msgspec.json.Encoder().encode, msgspec.json.Decoder(Note).decode


class Folder:
    """The copies that one SyncSource has of one table: their names begin with ``prefix``. ``within``: where such directories may be; None: anywhere."""

    def __init__(self, path: Path, prefix: str, within: Path | None) -> None:
        self._path, self._prefix, self._within = path, prefix, within

    def check(self) -> None:
        """PermanentError (DirectoryRefused) where copies of people's data have no business."""
        refused = self._refusal()
        if refused:
            raise PermanentError(f"spec.safety.backup.directory: {self._path} {refused}", reason="DirectoryRefused")

    def listed(self) -> list[Note]:
        """Those that are whole, newest first."""
        self.check()
        notes = filter(None, map(self._read, self._named(_NOTE)))
        return sorted((note for note in notes if (self._path / note.file).is_file()), key=lambda note: note.id, reverse=True)

    def path(self, note: Note) -> Path:
        """Where its copy is."""
        return self._path / note.file

    @contextmanager
    def new(self, stem: str) -> Iterator[Path]:
        """An empty file, for this user alone, to be filled; it is nothing to anybody before :meth:`finish`, and gone after the block."""
        partial = self._path / f".{self._prefix}{stem}{_PARTIAL}"
        with _told(self._path):
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            try:
                yield partial
            finally:
                partial.unlink(missing_ok=True)

    def finish(self, partial: Path, note: Note) -> Path:
        """The copy is whole, and stays so when the power fails now."""
        done = self._path / note.file
        with _told(self._path), self.new(f"{note.id}-note") as written:
            written.write_bytes(_encoded(note) + b"\n")
            _flushed(partial)
            _flushed(written)
            partial.rename(done)
            _flushed(self._path)
            written.rename(done.with_name(done.name + _NOTE))
            _flushed(self._path)
        return done

    def name(self, stem: str, ending: str) -> str:
        """Of a copy."""
        return f"{self._prefix}{stem}{ending}"

    def drop(self, file: str) -> None:
        """The note first: without it the copy is none."""
        with _told(self._path):
            for name in (file + _NOTE, file):
                (self._path / name).unlink(missing_ok=True)

    def keep(self, count: int) -> None:
        """All but the newest go, and what was not finished."""
        kept = {note.file for note in self.listed()[:count]}
        for file in [*self._named(""), *self._path.glob(f".{self._prefix}*{_PARTIAL}")]:
            if file.name.removesuffix(_NOTE) not in kept:
                with _told(self._path):
                    file.unlink(missing_ok=True)

    def verify(self, note: Note) -> None:
        """PermanentError (BackupDamaged) where the copy is not what was written."""
        with _told(self._path):
            found = fingerprint(self._path / note.file)
        if found != (note.size, note.sha256):
            raise PermanentError(f"the backup {self._path / note.file} is damaged: it is not what was written", reason="BackupDamaged")

    def _named(self, ending: str) -> list[Path]:
        with _told(self._path):
            return sorted(one for one in self._path.iterdir() if one.name.startswith(self._prefix) and one.name.endswith(ending))

    def _read(self, file: Path) -> Note | None:
        """None where it is not ours, or somebody is just removing it."""
        with suppress(OSError, msgspec.MsgspecError):
            note = _note(file.read_bytes())
            return note if file.name == note.file + _NOTE else None
        return None

    def _refusal(self) -> str:
        try:
            real = self._path.resolve(strict=True)
            mode = real.stat().st_mode
        except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
            why = "does not exist" if isinstance(error, FileNotFoundError) else f"can't be looked at ({getattr(error, 'strerror', error)})"
            return f"{why} where this run is: create it there, or mount a volume"
        if not stat.S_ISDIR(mode):
            return "is no directory: name one"
        if self._within is not None and not real.is_relative_to(self._within.resolve()):
            return "is outside of the folder that this operator may keep backups in: name one below it"
        if mode & stat.S_IWOTH:
            return "can be written to by every user of its machine, who could put rows into what is restored: use one that can't"
        return "" if os.access(real, os.R_OK | os.W_OK | os.X_OK) else "is not writable for the user of this process: give it the right"


def fingerprint(file: Path) -> tuple[int, str]:
    """Its size, and what tells that it is unchanged."""
    digest, size = sha256(), 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
    return size, digest.hexdigest()


def plain(name: str) -> str:
    """A table's name as a part of a file's; others may have the same."""
    return re.sub(r"[^A-Za-z0-9_]", "_", name)[:40]


def _flushed(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    """What the file system says, as an error of ours."""
    try:
        yield
    except OSError as error:
        raise _translated(folder, error) from error


def _translated(folder: Path, error: OSError) -> SyncError:
    if error.errno in _FULL:
        return RetryableError(f"the disk of {folder} (spec.safety.backup.directory) is full: free space on it", reason="DiskFull")
    return PermanentError(f"spec.safety.backup.directory: {folder}: {error.strerror}", reason="DirectoryRefused")
