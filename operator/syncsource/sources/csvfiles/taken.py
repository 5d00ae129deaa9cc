"""Which files were read before, by the hash of their content: what a source keeps from one read to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import msgspec

MOST_HANDED = 1000
"""Files handed over that are remembered; the oldest are forgotten first."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Hashes of files."""

    present: tuple[str, ...] = ()
    """Of those that the path meant at the last read."""
    handed: tuple[str, ...] = ()
    """Of those that people handed over, the last at the end."""

    @classmethod
    def read(cls, state: str | None) -> Self:
        """From a source's state; nothing where there is none, or another's."""
        try:
            return msgspec.json.decode(state or "{}", type=cls)
        except msgspec.DecodeError:
            return cls()

    def known(self, digest: str) -> bool:
        """Whether such a file was read before."""
        return digest in self.present or digest in self.handed

    def after(self, digests: Iterable[str], *, handed: bool) -> str:
        """The state after a read of these."""
        found = tuple(dict.fromkeys(digests))
        if not handed:
            return _state(Taken(present=found, handed=self.handed))
        kept = tuple(digest for digest in self.handed if digest not in found)
        return _state(Taken(present=self.present, handed=(*kept, *found)[-MOST_HANDED:]))


def _state(taken: Taken) -> str:
    return msgspec.json.encode(taken).decode()
