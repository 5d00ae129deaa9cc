"""SIGKILL of the process of a run, at random instants."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.database.conftest import Place
from tests.database.kills.rounds import SEEDS, Rounds
from tests.database.kills.running import Run

INSTANTS = 10
"""Of each seed; at each, two runs are killed."""


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_worker(seed: int, place: Place) -> None:
    rounds = Rounds(place, f"{place.kind}-{seed}", _kill)
    rounds.play(INSTANTS)
    assert rounds.lost >= INSTANTS // 2, "the instants are badly drawn"


def _kill(runs: Sequence[Run]) -> None:
    for run in runs:
        run.kill()
