"""One SyncSource, for which SyncRuns ask."""

from __future__ import annotations

import pytest

from tests.unit.controller.runworld import RunWorld


@pytest.fixture
def world() -> RunWorld:
    """One SyncSource, on request only."""
    world = RunWorld()
    world.create("a")
    world.settle()
    return world
