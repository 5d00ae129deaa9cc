"""How long a contender takes: its run, by its own clock, and the start of its process beside it."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Everybody's modules are compiled once, as they are where they were installed."""
_TOLD = re.compile(r'"seconds": ([\d.]+)')


@dataclass(frozen=True)
class Measured:
    """One contender. ``seconds``: of the run, from its modules being there to its commit, as a worker of the operator has it; ``start``: what a process
    of its own takes on top; ``megabytes``: its peak; ``processor``: seconds of processor time, of the whole process."""

    seconds: float
    start: float
    megabytes: float
    processor: float = 0.0

    @property
    def whole(self) -> float:
        """Seconds of the process."""
        return self.seconds + self.start


NEVER = Measured(math.inf, 0, 0, math.inf)


@contextmanager
def clock() -> Iterator[None]:
    """Tells :func:`timed` how long the run took, as ``syncsource run -o json`` does."""
    began = time.monotonic()
    yield
    print(json.dumps({"seconds": round(time.monotonic() - began, 3)}), flush=True)


def timed(command: list[str], limit: float = math.inf) -> Measured:
    """Run to the end; a failure stops the benchmark. What takes longer than ``limit`` seconds is ended, and takes for ever."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=_ENVIRONMENT, start_new_session=True)
    assert process.stdout is not None
    timer = threading.Timer(min(limit, threading.TIMEOUT_MAX), os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        output = process.stdout.read().decode()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    _, status, usage = os.wait4(process.pid, 0)
    whole = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == -signal.SIGKILL and whole > limit:
        return NEVER
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{output[-2000:]}")
    run = float(_TOLD.findall(output)[-1])
    return Measured(run, whole - run, usage.ru_maxrss / 1024, usage.ru_utime + usage.ru_stime)


def median(rounds: Sequence[Measured]) -> Measured:
    """Of each number by itself."""
    return Measured(*map(statistics.median, zip(*map(astuple, rounds), strict=True))) if rounds else NEVER


def ratio(base: float, one: float, width: int) -> str:
    """How many times as fast as the base, where both ended."""
    return f"{base / one:>{width}.2f}" if math.isfinite(base) and math.isfinite(one) else f"{'-':>{width}}"
