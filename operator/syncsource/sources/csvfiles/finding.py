"""Which files a path means, and which of them may be read. os.path is asked where Path would raise: for what may not be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path

from syncsource.errors import PermanentError, StalledError, outside_text
from syncsource.sources.csvfiles import reasons
from syncsource.sources.csvfiles.globbing import WILD, globbed
from syncsource.sources.files import Files, Handed

MOST_FILES = 10_000
"""Files that one path may mean."""


def found(path: str | None, files: Files) -> list[Handed]:
    """The files to read, in the order of their names: those handed over, else what ``path`` means.

    Raises StalledError (FileRefused) where the operator may read no files or the path leads out of its folder, PermanentError:
    NoFile, FileNotFound, FileRefused, TooManyFiles.
    """
    if files.handed:
        return list(files.handed)
    if path is None:
        raise PermanentError(
            "spec.source.csv has neither path nor download: its files come by `syncsource import`; hand one over, or set one of them",
            reason=reasons.NO_FILE,
        )
    whole = _allowed(path, files)
    matches = _matches(path, files) if WILD & set(path) and not os.path.exists(whole) else [whole]
    return [_checked(match, _shown(match, files), files) for match in matches]


def _allowed(path: str, files: Files) -> Path:
    """The path from the folder on. Raises StalledError where it can't lie in it."""
    if files.folder is None:
        raise StalledError(
            "spec.source.csv.path: this operator may read no files of its machine; start it with --files FOLDER, or hand files over with "
            "`syncsource import`",
            reason=reasons.FILE_REFUSED,
        )
    whole = Path(files.folder, path)
    if not files.anywhere and (not whole.is_relative_to(files.folder) or ".." in Path(path).parts):
        raise StalledError(
            f"spec.source.csv.path: {path} leads out of the folder that the operator may read; name a path below it, such as exports/*.csv",
            reason=reasons.FILE_REFUSED,
        )
    return whole


def _matches(path: str, files: Files) -> list[Path]:
    """What a glob means, but folders."""
    begin = Path(files.folder or "", *_plain(path))
    if not os.path.isdir(begin):
        raise PermanentError(
            f"spec.source.csv.path: {path}: there is no folder {outside_text(begin.name)}; create it, or mend the path",
            reason=reasons.FILE_NOT_FOUND,
        )
    rest = Path(path).parts[len(list(_plain(path))) :]
    matches = sorted(set(islice(globbed(begin, rest), MOST_FILES + 1)))
    if len(matches) > MOST_FILES:
        raise PermanentError(
            f"spec.source.csv.path: {path} means more than {MOST_FILES:,} files; choose a narrower glob", reason=reasons.TOO_MANY_FILES
        )
    return matches


def _plain(path: str) -> Iterator[str]:
    """The parts up to the first with a wildcard."""
    return takewhile(lambda part: not WILD & set(part), Path(path).parts)


def _checked(file: Path, shown: str, files: Files) -> Handed:
    """The file where its links lead. Raises PermanentError where that is outside of the folder, or nowhere."""
    try:
        real = file.resolve(strict=True)
        root = Path(files.folder).resolve() if files.folder else None
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise missing(shown, error) from None
    if not files.anywhere and (root is None or not real.is_relative_to(root)):
        raise PermanentError(
            f"{outside_text(shown)} is a link that leads out of the folder that the operator may read; put the file itself there",
            reason=reasons.FILE_REFUSED,
        )
    return Handed(str(real), shown, unlinked=not files.anywhere)


def missing(name: str, error: OSError | RuntimeError) -> PermanentError:
    """What an error of the file system means."""
    shown = outside_text(name)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return PermanentError(f"{shown}: there is no such file; put it there, or mend spec.source.csv.path", reason=reasons.FILE_NOT_FOUND)
    why = (error.strerror or type(error).__name__) if isinstance(error, OSError) else "its links lead in a circle"
    return PermanentError(f"{shown} can't be read: {why}; mend that", reason=reasons.FILE_UNREADABLE)


def _shown(file: Path, files: Files) -> str:
    return str(file.relative_to(files.folder)) if files.folder and file.is_relative_to(files.folder) else str(file)
