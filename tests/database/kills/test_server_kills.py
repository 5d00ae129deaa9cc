"""SIGKILL of the database's server in the midst of runs, at random instants; it is started again on the same data."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests import mariadb, postgres
from tests.database.conftest import Place, opened
from tests.database.kills.rounds import SEEDS, Rounds
from tests.database.kills.running import Run

INSTANTS = 5
"""Of each seed; at each, two runs are under way."""


@dataclass
class Hosted:
    """A place on a server of its own."""

    place: Place
    server: Any

    def kill(self, runs: Sequence[Run]) -> None:
        """It is up again once the runs have noticed."""
        self.server.kill()
        for run in runs:
            run.wait()
        self.place.plain.dispose()
        self.place.database.engine.dispose()
        self.server.start()


@pytest.fixture(params=["postgresql", "mariadb"])
def hosted(request: pytest.FixtureRequest) -> Iterator[Hosted]:
    """The servers keep what they have committed: it is handed to the machine, which goes on, and need not wait for its disk."""
    serving: Callable[[Path], Any] = {
        "postgresql": postgres.serving,
        "mariadb": lambda folder: mariadb.serving(folder, mariadb.free_port(), "--innodb-flush-log-at-trx-commit=2"),
    }[request.param]
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server, opened(request.param, server.uri) as place:
        if place.kind == "postgresql":
            place.sql("ALTER SYSTEM SET fsync = off")
            place.sql("SELECT pg_reload_conf()")
        yield Hosted(place, server)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_server(seed: int, hosted: Hosted) -> None:
    rounds = Rounds(hosted.place, f"{hosted.place.kind}-{seed}", hosted.kill)
    rounds.play(INSTANTS)
    assert rounds.lost >= INSTANTS // 2, "the instants are badly drawn"
