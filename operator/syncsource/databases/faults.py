"""What a database's error means for a run."""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.errors import SyncError


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` says what happens next, ``reason`` is its CamelCase word, ``said`` what the database said, safe to show but for secrets."""

    kind: type[SyncError]
    reason: str
    said: str
