"""Reads objects as the API server sent them, whatever is in them: what has the wrong type counts as absent."""

from __future__ import annotations

from typing import Any

from syncsource_tui.core.text import clean
from syncsource_tui.core.times import instant

Object = dict[str, Any]


def part(value: Any, *path: str) -> Object:
    """The object below ``path``; empty where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def parts(value: Any, key: str) -> list[Object]:
    """The objects of a list."""
    found = value.get(key) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(value: Object, key: str) -> str:
    """A text, clean; empty where there is none."""
    found = value.get(key)
    return clean(found) if isinstance(found, str) else ""


def raw(value: Object, key: str) -> str:
    """A text as it stands, for comparing and for paths, never for showing."""
    found = value.get(key)
    return found if isinstance(found, str) else ""


def number(value: Object, key: str) -> int | None:
    """A whole number."""
    found = value.get(key)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def time(value: Object, key: str) -> float | None:
    """An instant."""
    return instant(value.get(key))


def condition(status: Object, type_: str) -> Object:
    """A condition of a status; empty where there is none."""
    return next((one for one in parts(status, "conditions") if one.get("type") == type_), {})
