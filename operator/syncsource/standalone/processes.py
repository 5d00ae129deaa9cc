"""Child processes that say when they are ready, and end with their parent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

READY_WITHIN = 30.0
"""Seconds a child may take until it says that it is ready."""

_ENDS_WITHIN = 5.0


class ChildFailed(Exception):
    """A child process ended, or did not become ready; the message is what it said."""


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[tuple[Process, dict[str, Any]]]:
    """``python -m module --child``, and the JSON line that it printed when it was ready. Ended when the block is left.

    Its standard input is a pipe that closes when this process dies, however it dies: it ends then. Raises ChildFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--child", *arguments, stdin=PIPE, stdout=PIPE, stderr=None, start_new_session=True
    )
    try:
        yield process, await _ready(process, module)
    finally:
        await _end(process)


async def _ready(process: Process, module: str) -> dict[str, Any]:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_WITHIN)
    except TimeoutError:
        raise ChildFailed(f"{module} was not ready within {READY_WITHIN:g} s") from None
    if not line:
        raise ChildFailed(f"{module} ended with exit code {await process.wait()}")
    told: dict[str, Any] = json.loads(line)
    return told


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _ENDS_WITHIN)
        except TimeoutError:
            process.kill()
            await process.wait()
