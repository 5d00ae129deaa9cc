"""Waits between tries while the API server is away."""

from __future__ import annotations

from collections.abc import Iterator

FIRST = 0.25
LONGEST = 15.0


class Backoffs:
    """Endless waits in seconds, each twice the one before up to a limit. Can be gone through any number of times."""

    def __init__(self, first: float = FIRST, longest: float = LONGEST) -> None:
        self._first = first
        self._longest = longest

    def __iter__(self) -> Iterator[float]:
        wait = self._first
        while True:
            yield wait
            wait = min(wait * 2, self._longest)
