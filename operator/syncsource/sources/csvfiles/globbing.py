"""What a glob means, found in bounded time: links that lead in circles and stars in a row make endless ways to few folders."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

WILD = frozenset("*?[")


def globbed(begin: Path, pattern: Sequence[str]) -> Iterator[Path]:
    """Whatever but folders has a name like ``pattern``, its parts taken from the folder ``begin`` on. ``**`` stands for any folders.

    Each folder is looked at once for each part: under its own name where it has one, else by a link. Folders that can't be read are left out.
    """
    parts = (*pattern, "*") if pattern[-1] == "**" else tuple(pattern)
    seen: set[tuple[int, int, int]] = set()
    left = deque([(begin, 0)])
    while left:
        folder, at = left.popleft()
        if not _is_new(folder, at, seen):
            continue
        any_depth, last = parts[at] == "**", at == len(parts) - 1
        if any_depth:
            left.appendleft((folder, at + 1))
        for found in _like(folder, "*" if any_depth else parts[at]):
            if not found.is_dir():
                if last:
                    yield found
            elif not last:
                (left.append if found.is_symlink() else left.appendleft)((found, at if any_depth else at + 1))


def _is_new(folder: Path, at: int, seen: set[tuple[int, int, int]]) -> bool:
    try:
        found = os.stat(folder)
    except OSError:
        return False
    mark = (found.st_dev, found.st_ino, at)
    new = mark not in seen
    seen.add(mark)
    return new


def _like(folder: Path, part: str) -> Iterator[Path]:
    """What in the folder has such a name; hidden files only where the part begins with a dot, too."""
    if not WILD & set(part):
        if os.path.lexists(folder / part):
            yield folder / part
        return
    with suppress(OSError):
        for name in os.listdir(folder):
            if fnmatchcase(name, part) and (part.startswith(".") or not name.startswith(".")):
                yield folder / name
