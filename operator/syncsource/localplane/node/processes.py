"""One start of a container: its process, its output into a log, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import fcntl
import json
import os
import socket
import sys
import time
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsource.localplane.node import clock
from syncsource.localplane.podlogs import PART_BYTES, ContainerLog

_SHIM = Path(__file__).with_name("shim.py")
_DRAIN_SECONDS = 5.0
"""How long output is awaited after the end, from a process that left the container where that can't be prevented."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run: words, environment and the folder to begin in."""

    words: tuple[str, ...]
    environment: dict[str, str]
    folder: str


@dataclass(frozen=True, slots=True)
class Ended:
    """How a container ended; `message` says why it never started."""

    code: int
    signal: int
    reason: str
    at: dt.datetime
    message: str = ""


UNKNOWN_CODE = 255
"""The exit code of a container of which nothing more is known, as after a machine's reboot."""


def recorded(result: Path) -> Ended | None:
    """How the container ended that this file is about; None where it was not told."""
    try:
        return _ended(json.loads(result.read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


class Running:
    """A container that has started, or could not: `ended` is done when it is over, its output written to the log."""

    def __init__(self, shim: Process, node_side: socket.socket, log: ContainerLog) -> None:
        self._shim, self._log, self._socket = shim, log, node_side
        self.has_started = False
        self.ended: asyncio.Task[Ended]

    @classmethod
    async def start(cls, command: Command, log: ContainerLog, result: Path, held: int) -> Running:
        """`result` is where its end is recorded, `held` a descriptor that stays open as long as it runs. Raises OSError."""
        node_side, shim_side = socket.socketpair()
        node_side.setblocking(False)
        try:
            shim = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_SHIM), str(result), str(held)),
                stdin=shim_side.fileno(),
                stdout=PIPE,
                stderr=PIPE,
                pass_fds=(held,),
                env={},
                start_new_session=True,
                limit=PART_BYTES,
            )
        except BaseException:
            node_side.close()
            raise
        finally:
            shim_side.close()
        running = cls(shim, node_side, log)
        first = await running._begin(command)
        running.has_started = "failed" not in first
        running.ended = asyncio.create_task(running._end(first, result))
        return running

    def terminate(self) -> None:
        """SIGTERM for the container's processes."""
        self._order(b"TERM\n")

    def kill(self) -> None:
        """SIGKILL for them."""
        self._order(b"KILL\n")

    async def _begin(self, command: Command) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        asked = {"command": command.words, "environment": command.environment, "folder": command.folder}
        with contextlib.suppress(OSError):
            await loop.sock_sendall(self._socket, json.dumps(asked).encode() + b"\n")
        told = b""
        with contextlib.suppress(OSError):
            while b"\n" not in told and (data := await loop.sock_recv(self._socket, 2**16)):
                told += data
        line, _, _ = told.partition(b"\n")
        found: dict[str, Any] = json.loads(line) if line else {"failed": "the process that starts containers died"}
        return found

    async def _end(self, first: dict[str, Any], result: Path) -> Ended:
        assert self._shim.stdout is not None
        assert self._shim.stderr is not None
        pumps = [_pump(self._shim.stdout, "stdout", self._log), _pump(self._shim.stderr, "stderr", self._log)]
        pumping = asyncio.gather(*pumps)
        await self._shim.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pumping, _DRAIN_SECONDS)
        self._log.close()
        self._socket.close()
        return _ended(first) if "failed" in first else recorded(result) or Ended(UNKNOWN_CODE, 0, "Unknown", clock.now())

    def _order(self, word: bytes) -> None:
        with contextlib.suppress(OSError):
            self._socket.send(word)


def open_log(state: Path, pod: dict[str, Any], container: str, restart: int) -> ContainerLog:
    """The log of a start; that it is there says that this start has begun. Raises OSError."""
    metadata = pod["metadata"]
    place = {"namespace": metadata["namespace"], "pod": metadata["name"], "uid": metadata["uid"], "container": container}
    return ContainerLog(state, **place, restart=restart)


def _ended(told: dict[str, Any]) -> Ended:
    if "failed" in told:
        return Ended(128, 0, "StartError", clock.now(), str(told["failed"]))
    code, at = int(told["ended"]), dt.datetime.fromtimestamp(told["at"], dt.UTC)
    if code < 0:
        return Ended(128 - code, -code, "Error", at)
    return Ended(code, 0, "Error" if code else "Completed", at)


async def _pump(stream: asyncio.StreamReader, name: str, log: ContainerLog) -> None:
    """Every line into the log; a long one in parts. A full disk costs lines, not the container."""
    rest = b""
    while data := await stream.read(PART_BYTES):
        whole, newline, rest = (rest + data).rpartition(b"\n")
        with contextlib.suppress(OSError):
            if newline:
                log.write(name, whole)
            while len(rest) >= PART_BYTES:
                log.write_part(name, rest[:PART_BYTES])
                rest = rest[PART_BYTES:]
    if rest:
        with contextlib.suppress(OSError):
            log.write(name, rest)


def lock(path: Path, within: float) -> int:
    """A descriptor of this node's own, once no container of the node before it runs. Raises OSError, BlockingIOError where one stays."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    ends = time.monotonic() + within
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.02)
        else:
            return descriptor
