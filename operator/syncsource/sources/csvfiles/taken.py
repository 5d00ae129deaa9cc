"""Which files were read before, by the hash of their content: what a source keeps from one read to the next."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

import msgspec

MOST_HANDED = 1000
"""Files handed over that are remembered; the oldest are forgotten first."""


class Taken(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hashes of files."""

    present: tuple[str, ...] = ()
    """Of those that the path meant at the last read."""
    handed: tuple[str, ...] = ()
    """Of those that people handed over, the last at the end."""
    fetched: dict[str, str] | None = None
    """What is remembered of the file that was downloaded."""

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

    def after(self, digests: Iterable[str], *, handed: bool = False, fetched: dict[str, str] | None = None) -> Taken:
        """What to keep after a read of these: of those ``handed`` over, or of all that the spec names."""
        found = tuple(dict.fromkeys(digests))
        if not handed:
            return msgspec.structs.replace(self, present=found, fetched=fetched)
        kept = tuple(digest for digest in self.handed if digest not in found)
        return msgspec.structs.replace(self, handed=(*kept, *found)[-MOST_HANDED:])

    @property
    def text(self) -> str:
        """As a source's state."""
        return msgspec.json.encode(self).decode()
