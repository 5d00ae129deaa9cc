"""The operator's log: JSON lines of which one source's are chosen, and lines of anything else shown as they are."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from syncsource_tui.core.state import Tone
from syncsource_tui.core.text import clean
from syncsource_tui.core.times import instant

KEPT = 5000
"""Lines kept."""
_LONGEST = 64 * 1024
_TONES: dict[str, Tone] = {"error": "bad", "critical": "bad", "warning": "warn", "debug": "dim"}


@dataclass(frozen=True, slots=True)
class Line:
    """Everything is clean. ``at`` is None and ``level`` empty for a line that is not JSON: ``message`` is all of it."""

    at: float | None
    level: str
    message: str
    source: str = ""
    logger: str = ""
    details: tuple[tuple[str, str], ...] = ()
    """Whatever else the line said: run, worker, trace."""

    @property
    def tone(self) -> Tone:
        """What its level means."""
        return _TONES.get(self.level, "")


def parse(line: bytes) -> Line:
    """Never fails."""
    text = line[:_LONGEST].decode(errors="replace").rstrip("\r\n")
    try:
        told = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or "message" not in told:
        return Line(None, "", clean(text))
    return _line(told)


def _line(told: dict[str, Any]) -> Line:
    known = ("time", "level", "message", "source", "logger")
    details = tuple((clean(key, 64), clean(value)) for key, value in told.items() if key not in known)
    return Line(
        at=instant(told.get("time")),
        level=clean(told.get("level"), 16).lower(),
        message=clean(told.get("message")),
        source=clean(told.get("source"), 512),
        logger=clean(told.get("logger"), 256),
        details=details,
    )


def concerns(line: Line, source: str) -> bool:
    """Whether the line is of that ``namespace/name``; one that is not JSON, whether it names it."""
    return line.source == source if line.level else source in line.message


class LogBuffer:
    """The last lines, and those of them that are shown. ``number`` of a line is its place in the whole log: it never changes."""

    def __init__(self, source: str, kept: int = KEPT) -> None:
        self.source, self.everything, self.needle = source, False, ""
        self._lines: deque[tuple[int, Line]] = deque(maxlen=kept)
        self._count = 0

    def add(self, line: Line) -> None:
        """At the end; the oldest falls out."""
        self._lines.append((self._count, line))
        self._count += 1

    def clear(self) -> None:
        """Forget all lines: the log is read anew."""
        self._lines.clear()

    @property
    def count(self) -> int:
        """Lines that ever came: a new number says that there is something new."""
        return self._count

    def shown(self) -> Iterator[tuple[int, Line]]:
        """The lines that pass, oldest first."""
        needle = self.needle.lower()
        for number, line in self._lines:
            if (self.everything or concerns(line, self.source)) and (not needle or needle in f"{line.level} {line.message}".lower()):
                yield number, line
