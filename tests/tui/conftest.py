"""A control plane for each test, in its own process: it starts in a tenth of a second."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from syncsource.resource.crd import crd
from tests.tui.stage import Stage, loose_crd, staged


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """It knows SyncSources as they are."""
    async with staged(tmp_path / "plane", crd()) as stage:
        yield stage


@pytest.fixture
async def loose(tmp_path: Path) -> AsyncIterator[Stage]:
    """It takes any object for a SyncSource."""
    async with staged(tmp_path / "plane", loose_crd()) as stage:
        yield stage
