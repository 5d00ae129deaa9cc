"""kube-apiserver and etcd in the embedded control plane's place: ``python -m syncsource.standalone.assets --dir DIR --assets FOLDER``.

The folder is laid out as envtest's. It prints the JSON line that the embedded control plane prints, keeps both running, and ends
when it is told to or when its standard input does.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import signal
import ssl
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TypeVar

import httpx

from syncsource.localplane import statefiles
from syncsource.localplane.parent import when_parent_ends
from syncsource.localplane.statefiles import AlreadyRunning
from syncsource.standalone.assetfiles import AssetsUnusable, Files, apiserver_arguments, binaries, etcd_arguments, make_files
from syncsource.standalone.processes import Keeper, Program

T = TypeVar("T")

READY_WITHIN = 90.0
"""Seconds that each may take to become ready, on a machine that is busy with other things."""
_PATIENCE = 3.0
_LOG_BYTES = 10 * 1024 * 1024
_LAST_WORDS = 12
_AGAIN = 0.1


@dataclass(frozen=True, slots=True)
class Serving:
    """A control plane that is ready: where, whose token is in ``kubeconfig``, and what it says of its version."""

    url: str
    kubeconfig: Path
    version: str


class LogFile:
    """What a program writes, in a file of 10 MiB and the one before it; the last lines are remembered."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last: deque[str] = deque(maxlen=_LAST_WORDS)
        self._handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1)

    async def starting(self) -> None:
        """Nothing to do."""

    async def ended(self, code: int, again_in: float) -> None:
        """The log goes on."""

    def said(self, line: bytes) -> None:
        """It wrote a line."""
        self.last.append(line.decode(errors="replace"))
        self._handler.emit(logging.makeLogRecord({"msg": self.last[-1]}))

    def close(self) -> None:
        """Nothing may be written after this."""
        self._handler.close()


@dataclass(frozen=True, slots=True)
class _Kept:
    name: str
    keeper: Keeper
    log: LogFile


@asynccontextmanager
async def serving(folder: Path, assets: Path, port: int = 0) -> AsyncIterator[Serving]:
    """Both, ready and kept running; their state is below ``folder`` and outlives the block. ``port`` 0: that of last time if it is free.

    Raises AssetsUnusable, statefiles.AlreadyRunning, and OSError where the port is taken.
    """
    programs = binaries(assets)
    statefiles.open_folder(folder)
    async with AsyncExitStack() as stack:
        stack.callback(statefiles.take_lock(folder).close)
        files = make_files(folder, port)
        arguments = await asyncio.to_thread(apiserver_arguments, programs.apiserver, files)
        etcd = await _started(stack, files, programs.etcd, etcd_arguments(files))
        await _first(_listening(files.etcd_port), etcd)
        apiserver = await _started(stack, files, programs.apiserver, arguments)
        version = await _first(_ready(files), etcd, apiserver)
        for kept in (etcd, apiserver):
            stack.push_async_callback(_cancel, asyncio.create_task(kept.keeper.keep()))
        statefiles.remember_port(folder, files.port)
        kubeconfig = (folder / "kubeconfig").resolve()
        statefiles.write_kubeconfig(kubeconfig, files.url, files.server.authority.read_bytes(), files.token)
        yield Serving(files.url, kubeconfig, version)


async def _started(stack: AsyncExitStack, files: Files, program: Path, arguments: tuple[str, ...]) -> _Kept:
    log = LogFile(files.folder / f"{program.name}.log")
    stack.callback(log.close)
    keeper = Keeper(Program(program.name, str(program), arguments, log, patience=_PATIENCE))
    try:
        await keeper.start()
    except OSError as error:
        raise AssetsUnusable(f"{program} can't be run: {error}; it must be one for this system and processor") from None
    stack.push_async_callback(keeper.stop)
    return _Kept(program.name, keeper, log)


async def _first(awaited: Coroutine[Any, Any, T], *programs: _Kept) -> T:
    """What is awaited. Raises AssetsUnusable where a program ends before, or time does."""
    wanted = asyncio.create_task(awaited)
    ends = {asyncio.create_task(program.keeper.ended()): program for program in programs}
    try:
        await asyncio.wait((wanted, *ends), timeout=READY_WITHIN, return_when=asyncio.FIRST_COMPLETED)
        if wanted.done():
            return wanted.result()
        over = [(program, f"ended with exit code {end.result()}") for end, program in ends.items() if end.done()]
        program, what = over[0] if over else (programs[-1], f"was not ready within {READY_WITHIN:g} s")
        words = "".join(f"\n  {line}" for line in program.log.last)
        raise AssetsUnusable(f"{program.name} {what}; the last lines of {program.log.path}:{words or ' none'}")
    finally:
        for task in (wanted, *ends):
            await _cancel(task)


async def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(_AGAIN)
        else:
            writer.close()
            return


async def _ready(files: Files) -> str:
    """The server's version, once it is ready and has made the namespaces that everybody expects."""
    trust = ssl.create_default_context(cafile=str(files.server.authority))
    headers = {"Authorization": f"Bearer {files.token}"}
    needed = ("/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system")
    async with httpx.AsyncClient(base_url=files.url, verify=trust, headers=headers, trust_env=False) as client:
        while True:
            with contextlib.suppress(httpx.TransportError):
                if all([(await client.get(path)).is_success for path in needed]):
                    return str((await client.get("/version")).json()["gitVersion"])
            await asyncio.sleep(_AGAIN)


async def _serve(folder: Path, assets: Path, port: int, child: bool) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if child:
        when_parent_ends(stop.set)
    work = asyncio.create_task(_told(folder, assets, port))
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((work, stopped), return_when=asyncio.FIRST_COMPLETED)
    for task in (work, stopped):
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work


async def _told(folder: Path, assets: Path, port: int) -> None:
    async with serving(folder, assets, port) as now:
        said = {"ready": True, "url": now.url, "kubeconfig": str(now.kubeconfig), "server": f"kube-apiserver {now.version}"}
        print(json.dumps(said), flush=True)
        await asyncio.Event().wait()


def main() -> int:
    """The program: 0 when it was told to end, 1 with a message where it can't serve."""
    parser = argparse.ArgumentParser(prog="python -m syncsource.standalone.assets", description="kube-apiserver and etcd, kept running.")
    parser.add_argument("--dir", type=Path, required=True, help="the state folder: data, certificates, token, logs, kubeconfig")
    parser.add_argument("--assets", type=Path, required=True, help="the folder of the two binaries, as envtest lays it out")
    parser.add_argument("--port", type=int, default=0, help="default: the port of last time if it is free, else any free one")
    parser.add_argument("--child", action="store_true", help="also end when standard input does: when the parent process is gone")
    options = parser.parse_args()
    try:
        asyncio.run(_serve(options.dir, options.assets, options.port, options.child))
    except (AssetsUnusable, AlreadyRunning) as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    except OSError as failed:
        print(f"error: cannot serve from {options.dir}: {failed}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
