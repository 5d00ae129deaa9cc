"""Values as people read them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any


def as_text(value: Any) -> str | None:
    """A value of a row; None is NULL."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
