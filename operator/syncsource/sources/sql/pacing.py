"""How many rows are fetched at once: as many as the spec says, fewer where they are large, since several pages are in memory at a time."""

from __future__ import annotations

from sys import getsizeof

from syncsource.sources.sql.dialect import Rows

COMFORTABLE = 16 * 1024 * 1024
"""Bytes of rows that are aimed at."""
_FIRST, _GROWTH, _SAMPLE = 200, 5, 20


class Pace:
    """Learns from each page how large rows are, by a few of them."""

    def __init__(self, declared: int) -> None:
        self._declared = declared
        self._size = min(declared, _FIRST)

    def __call__(self) -> int:
        """Rows to fetch next."""
        return self._size

    def learn(self, rows: Rows) -> None:
        """A page came, of at least one row."""
        sample = rows[:: -(-len(rows) // _SAMPLE)]
        size = sum(sum(map(getsizeof, row)) for row in sample) / len(sample)
        self._size = max(1, min(self._declared, self._size * _GROWTH, int(COMFORTABLE / max(size, 1))))
