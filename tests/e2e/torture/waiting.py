"""Waits for what processes do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import psutil

from tests.e2e.product import Product

SOON = 20.0
"""Seconds in which what is awaited must come."""


def until(true: Callable[[], bool], what: str, seconds: float = SOON) -> None:
    """Looks every 20 ms. AssertionError where it never is."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, f"{what}: not within {seconds:g} s"
        time.sleep(0.02)


def stopped(process: psutil.Process) -> None:
    """Waits until the process is stopped by a signal."""
    until(lambda: process.status() == psutil.STATUS_STOPPED, f"{process} stops")


def log_line(operator: Product, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first line of the operator's log that is wanted, once it is there."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [line for line in _lines(operator) if wanted(line)]
        return bool(found)

    until(look, "a line of the log")
    return found[0]


def _lines(operator: Product) -> list[dict[str, Any]]:
    return [json.loads(line) for line in operator.log.splitlines() if line.startswith("{") and line.endswith("}")]
