"""A child process that must not outlive its parent, however that one dies."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable


def when_parent_ends(call: Callable[[], object]) -> None:
    """Calls ``call`` in the running loop when standard input ends: a pipe that the parent holds open and never writes to."""
    loop = asyncio.get_running_loop()

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            call()

    loop.add_reader(0, read)
