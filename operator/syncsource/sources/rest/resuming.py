"""Where a read of pages stopped, as text that a later read goes on from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from syncsource.records.converting import from_json, to_json


@dataclass(frozen=True, slots=True)
class Stopped:
    """Before the page at ``place``, which is the pager's to read; ``pages`` and ``total`` records came before it."""

    pages: int = 0
    total: int = 0
    place: Any = None
    """None: nothing was read."""

    @classmethod
    def read(cls, text: str | None) -> Stopped:
        """What :attr:`text` was."""
        return cls(*from_json(text)) if text else cls()

    @property
    def text(self) -> str | None:
        """None where no later read can go on from here."""
        return None if self.place is None else to_json([self.pages, self.total, self.place])
