"""One server for the plays of a file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.reading.stage import Theatre, theatre


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    """Where plays begin."""
    with theatre(tmp_path_factory.mktemp("plays")) as stage:
        yield stage
