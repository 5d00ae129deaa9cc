"""Random instants at which processes of the product are killed, and its start again."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.e2e import product as processes
from tests.e2e.product import Product, command
from tests.e2e.torture.stock import Pages

VICTIMS = ("worker", "operator", "tree")


@dataclass(frozen=True, slots=True)
class Instant:
    """So many milliseconds after so many pages were served."""

    victim: str
    pages: int
    after_ms: float

    def wait(self, pages: Pages, before: int) -> None:
        """Until then; ``before`` pages had been served at the request. A run that is over serves no more pages: then it is now."""
        if pages.wait(before + self.pages, 2):
            time.sleep(self.after_ms / 1000)


def instant(rng: random.Random, victim: str, pages: int) -> Instant:
    """One of a run's, where ``pages`` are served in all. As many while it is read as while it is written and told of."""
    if rng.random() < 0.5:
        return Instant(victim, rng.randint(0, pages), round(rng.expovariate(1 / 15), 1))
    return Instant(victim, pages - rng.randint(0, 3), round(rng.uniform(0, 150), 1))


class Tree:
    """``syncsource up`` that is killed and started again on the same folder."""

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder, self._workers = folder, workers
        self._stack = ExitStack()
        self._everything: list[psutil.Process] = []
        self.product = self._start()

    def _start(self) -> Product:
        return self._stack.enter_context(processes.up(self._folder, "--workers", str(self._workers)))

    def victims(self, name: str, rng: random.Random) -> list[psutil.Process]:
        """The processes to kill: one of the workers or all, the operator, ``up`` alone or all of its processes at once."""
        everything = self._everything = [psutil.Process(self.product.process.pid), *self.product.children]
        if name == "tree":
            return everything if rng.random() < 0.7 else everything[:1]
        wanted = "syncsource.runner.worker" if name == "worker" else "syncsource operator"
        found = [process for process in everything[1:] if wanted in command(process)]
        return found if rng.random() < 0.2 else found[:1]

    def start_again(self) -> None:
        """After its death. What outlived it ends by itself."""
        _, left = psutil.wait_procs(self._everything, timeout=processes.ENDS_WITHIN)
        assert not left, f"these outlived it: {left}"
        self.close()
        self.product = self._start()

    def close(self) -> None:
        """Ends it."""
        self._stack.close()
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.__exit__(kind, error, trace)
