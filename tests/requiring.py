"""What the machine may lack: such tests are skipped, and fail where SYNCSOURCE_TEST_REQUIRE lists it."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def unavailable(name: str, why: str) -> NoReturn:
    """Ends the test: ``name`` is what SYNCSOURCE_TEST_REQUIRE would list, ``why`` what is wrong."""
    required = os.environ.get("SYNCSOURCE_TEST_REQUIRE", "").split(",")
    if name in required:
        pytest.fail(f"{name}: {why}")
    pytest.skip(f"{name}: {why}")
