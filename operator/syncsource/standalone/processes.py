"""Child processes that are started again when they end, and that end with their parent."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import logging
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

READY_WITHIN = 30.0
"""Seconds a child may take until it says that it is ready."""

LONGEST_WAIT = 30.0
"""Seconds between two starts at most."""

LASTED = 60.0
"""Seconds after which a child that ends has not failed at its start: the waits begin anew."""

_LONGEST_LINE = 2**20

_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

_log = logging.getLogger(__name__)


class ChildFailed(Exception):
    """A child process did not become ready at its first start; the message says how it ended."""


class Listener(Protocol):
    """Is told of a child's life. ``said`` gets a line of what it writes, without its end."""

    async def starting(self) -> None: ...

    def said(self, line: bytes) -> None: ...

    async def ended(self, code: int, again_in: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Child:
    """``python -m module arguments --child``. With a listener what it writes goes there; without one it prints a JSON line when it is ready.

    Its standard input is a pipe that closes when this process dies, however it dies: it ends then.
    """

    name: str
    """As messages have it, for example "the operator"."""
    module: str
    arguments: tuple[str, ...]
    listener: Listener | None = None
    patience: float = 5.0
    """Seconds that it has to end after SIGTERM."""
    within: float = READY_WITHIN
    """Seconds that it has to become ready."""

    def command(self, port: tuple[str, ...]) -> tuple[str, ...]:
        """What is executed; ``port`` are the arguments that keep the port of its first start."""
        return (sys.executable, "-m", self.module, *self.arguments, *port, "--child")


@dataclass(frozen=True, slots=True)
class Program(Child):
    """A program that is not ours, at the path ``module``. It takes no heed of its standard input: where the system can, it is killed
    when this process dies."""

    def command(self, port: tuple[str, ...]) -> tuple[str, ...]:
        """The program and its arguments."""
        return (self.module, *self.arguments)

    def prepare(self) -> None:
        """Asks Linux for SIGKILL at the parent's death."""
        if _LIBC is not None:
            _LIBC.prctl(1, signal.SIGKILL)


class Keeper:
    """Keeps one child running. ``told`` is what it printed when it was ready at first; a port that is in it stays."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._process: Process | None = None
        self._pump: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None
        self.told: dict[str, Any] = {}

    async def start(self) -> None:
        """Start it, and wait until it is ready. Raises ChildFailed."""
        if self._child.listener is not None:
            await self._child.listener.starting()
        listened = self._child.listener is not None
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command(),
            stdin=PIPE,
            stdout=PIPE,
            stderr=STDOUT if listened else None,
            start_new_session=True,
            preexec_fn=self._child.prepare if isinstance(self._child, Program) else None,
        )
        assert process.stdout is not None
        if self._child.listener is not None:
            self._pump = asyncio.create_task(_hand_over(process.stdout, self._child.listener))
        else:
            self.told = await self._ready(process, process.stdout)

    async def keep(self) -> None:
        """Start it again whenever it ends, until cancelled."""
        waits, loop = _waits(), asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self.ended()
            if loop.time() - began > LASTED:
                waits = _waits()
            wait = next(waits)
            _log.warning("%s ended with code %s and is started again in %g s", self._child.name, code, wait)
            if self._child.listener is not None:
                await self._child.listener.ended(code, wait)
            await asyncio.sleep(wait)
            try:
                await self.start()
            except ChildFailed as error:
                _log.warning("%s", error)

    async def ended(self) -> int:
        """The exit code, once it ended and all it wrote was handed over. It must have been started."""
        assert self._process is not None
        code = await self._process.wait()
        if self._pump is not None:
            await asyncio.shield(self._pump)
        return code

    def end_soon(self, seconds: float) -> None:
        """Have the child that runs now end within so many seconds: it is started again as after any end."""
        self._ending = asyncio.create_task(self._end(self._process, seconds))

    async def _end(self, process: Process | None, seconds: float) -> None:
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), seconds)
            except TimeoutError:
                process.kill()

    async def stop(self) -> None:
        """SIGTERM; SIGKILL where that does not end it in time."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), self._child.patience)
            except TimeoutError:
                self._process.kill()
        if self._process is not None:
            await self.ended()

    def _command(self) -> tuple[str, ...]:
        port = ("--port", self.told["url"].rpartition(":")[2]) if "url" in self.told else ()
        return self._child.command(port)

    async def _ready(self, process: Process, stdout: asyncio.StreamReader) -> dict[str, Any]:
        try:
            line = await asyncio.wait_for(stdout.readline(), self._child.within)
        except TimeoutError:
            process.kill()
            raise ChildFailed(f"{self._child.name} was not ready within {self._child.within:g} s") from None
        if not line:
            raise ChildFailed(f"{self._child.name} ended with exit code {await process.wait()}")
        told: dict[str, Any] = json.loads(line)
        return told


@asynccontextmanager
async def kept(child: Child) -> AsyncIterator[Keeper]:
    """The child, ready, and started again when it ends; stopped when the block is left. Raises ChildFailed."""
    keeper = Keeper(child)
    try:
        await keeper.start()
        keeping = asyncio.create_task(keeper.keep())
        try:
            yield keeper
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
    finally:
        await keeper.stop()


def _waits() -> Iterator[float]:
    wait = 0.5
    while True:
        yield wait
        wait = min(wait * 2, LONGEST_WAIT)


async def _hand_over(stream: asyncio.StreamReader, listener: Listener) -> None:
    """Every line to the listener; one without end in pieces."""
    waiting = b""
    while chunk := await stream.read(2**16):
        *lines, waiting = (waiting + chunk).split(b"\n")
        for line in lines:
            listener.said(line)
        if len(waiting) > _LONGEST_LINE:
            listener.said(waiting)
            waiting = b""
    if waiting:
        listener.said(waiting)
