"""Identifiers: of runs, and of the cluster."""

from __future__ import annotations

import secrets
from datetime import datetime

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_WIDTH = 9
"""Digits of the milliseconds since 1970 in base 36: enough until the year 5188."""


def run_id(now: datetime) -> str:
    """A new run's id: 13 characters that sort by time, then are random."""
    return _base36(int(now.timestamp() * 1000), _WIDTH) + _base36(secrets.randbelow(36**4), 4)


def _base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
