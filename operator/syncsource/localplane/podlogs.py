"""Logs of containers as files, as a kubelet keeps them: `<state>/pods/<namespace>_<pod>_<uid>/<container>/<restart>.log`.

A line is `<instant> <stdout|stderr> <F|P> <text>`, the format of the Container Runtime Interface; P marks a part of a longer line.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Container
from pathlib import Path

ROTATE_BYTES = 10 * 1024 * 1024
PART_BYTES = 64 * 1024
ROTATED = ".1"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?")


def pod_folder(state_dir: Path, *, namespace: str, pod: str, uid: str) -> Path:
    """Where the logs of a Pod are; raises ValueError for what can't be a name."""
    return state_dir / "pods" / "_".join(map(_named, (namespace, pod, uid)))


def container_folder(state_dir: Path, *, namespace: str, pod: str, uid: str, container: str) -> Path:
    """Where the logs of a container are, a file for each restart; raises ValueError for what can't be a name."""
    return pod_folder(state_dir, namespace=namespace, pod=pod, uid=uid) / _named(container)


def instant(moment: dt.datetime) -> bytes:
    """An instant of UTC as lines begin with it: the order of the bytes is that of time."""
    return f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}000Z".encode()


def restarts(folder: Path) -> list[int]:
    """The restarts that a container has logs of, the oldest first."""
    try:
        return sorted(int(path.stem) for path in folder.iterdir() if path.suffix == ".log" and path.stem.isdecimal())
    except OSError:
        return []


def remove_logs(state_dir: Path, *, namespace: str, pod: str, uid: str) -> None:
    """Delete all logs of a Pod, if there are any."""
    shutil.rmtree(pod_folder(state_dir, namespace=namespace, pod=pod, uid=uid), ignore_errors=True)


def remove_other_logs(state_dir: Path, uids: Container[str]) -> None:
    """Delete the logs of Pods that are not among `uids`."""
    for folder in (state_dir / "pods").glob("*"):
        if folder.name.rpartition("_")[2] not in uids:
            shutil.rmtree(folder, ignore_errors=True)


class ContainerLog:
    """Writes the log of one start of a container, and deletes those of all starts before the previous one.

    A log takes two files of ROTATE_BYTES at most. Used by one thread. Raises ValueError for names that can't be, OSError where the
    disk refuses.
    """

    def __init__(self, state_dir: Path, *, namespace: str, pod: str, uid: str, container: str, restart: int = 0) -> None:
        folder = container_folder(Path(state_dir), namespace=namespace, pod=pod, uid=uid, container=container)
        for part in (folder.parent.parent, folder.parent, folder):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{restart}.log"
        self._open()
        for old in restarts(folder):
            if old < restart - 1:
                self._discard(folder / f"{old}.log")

    def write(self, stream: str, line: bytes) -> None:
        """One line without its newline, written before this returns; `stream` is stdout or stderr."""
        head = instant(dt.datetime.now(dt.UTC)) + b" " + stream.encode()
        self._append(b"".join(_framed(head, text) for text in line.split(b"\n")))

    def write_part(self, stream: str, part: bytes) -> None:
        """A part of a line that goes on; not longer than PART_BYTES, and without a newline."""
        head = instant(dt.datetime.now(dt.UTC)) + b" " + stream.encode()
        self._append(b"%s P %s\n" % (head, part))

    def close(self) -> None:
        """Nothing may be written after this."""
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._file).st_size
        self._is_torn = self._size > 0 and os.pread(self._file, 1, self._size - 1) != b"\n"

    def _append(self, data: bytes) -> None:
        if self._is_torn:
            data = b"\n" + data
        if self._size and self._size + len(data) > ROTATE_BYTES:
            self._rotate()
        self._is_torn = True
        written = os.write(self._file, data)
        while written < len(data):
            written += os.write(self._file, data[written:])
        self._is_torn = False
        self._size += len(data)

    def _rotate(self) -> None:
        try:
            self._path.replace(self._path.with_name(self._path.name + ROTATED))
        except FileNotFoundError:  # the Pod is deleted and its files with it: nobody can read what is written from here on
            os.ftruncate(self._file, 0)
            self._size = 0
            return
        os.close(self._file)
        self._open()

    def _discard(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        path.with_name(path.name + ROTATED).unlink(missing_ok=True)


def _framed(head: bytes, text: bytes) -> bytes:
    parts = [text[start : start + PART_BYTES] for start in range(0, len(text), PART_BYTES)] or [b""]
    lines = [b"%s P %s\n" % (head, part) for part in parts[:-1]]
    return b"".join([*lines, b"%s F %s\n" % (head, parts[-1])])


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't be the name of a namespace, Pod or container")
    return name
