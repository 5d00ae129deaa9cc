"""A control plane, and operators beside it that tests kill and stop as they like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from syncsource.failpoints import VARIABLE
from tests.e2e import product as processes
from tests.e2e.cluster import Cluster
from tests.e2e.product import Product

SOAK = bool(os.environ.get("SYNCSOURCE_TEST_SOAK"))
soak_only = pytest.mark.skipif(not SOAK, reason="part of make soak")


@dataclass
class Operators:
    """Operators of one cluster, each a process of its own with one worker."""

    cluster: Cluster
    folder: Path
    failpoints: Path
    _all: list[tuple[Product, ExitStack]] = field(default_factory=list)
    _kept: Product | None = None

    def start(self) -> Product:
        """One more."""
        folder, env = self.folder / uuid4().hex[:8], {VARIABLE: str(self.failpoints)}
        with ExitStack() as stack:
            product = stack.enter_context(processes.operator(folder, self.cluster, "--workers", "1", env=env))
            self._all.append((product, stack.pop_all()))
        return product

    @property
    def one(self) -> Product:
        """The one that is there: another, where it was killed."""
        if self._kept is None or self._kept.process.poll() is not None:
            self._kept = self.start()
        return self._kept

    def arm(self, name: str, text: str) -> Path:
        """What happens at a failpoint. The file is gone once it has."""
        file = self.failpoints / name
        file.write_text(text)
        return file

    def close(self, *, but_last: bool = False) -> None:
        """Ends all, those too that are stopped; or all but the one that was started last, which takes their place."""
        while len(self._all) > but_last:
            product, ended = self._all.pop(0)
            if product.process.poll() is None:
                for process in (psutil.Process(product.process.pid), *product.children):
                    process.resume()
            ended.close()
        self._kept = self._all[0][0] if self._all else None


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """``syncsource up --no-operator``."""
    with processes.up(tmp_path_factory.mktemp("plane"), "--no-operator") as plane:
        yield plane


@pytest.fixture(scope="session")
def operators(plane: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operators]:
    """None runs at first."""
    folder = tmp_path_factory.mktemp("operators")
    failpoints = folder / "failpoints"
    failpoints.mkdir()
    operators = Operators(plane.cluster, folder, failpoints)
    yield operators
    operators.close()
