"""What a run may do to rows: insert those that are missing, change those that are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from syncsource.resource.writing import Conflict
from syncsource.resource.writing import Write as WriteSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How staged rows meet the table."""

    insert: bool = True
    """Whether a row that the table lacks is inserted; otherwise it is skipped."""
    update: bool = True
    """Whether a row that differs is changed; otherwise one that is there is skipped."""
    merge: Conflict | None = None
    """How columns that both sides changed are merged. None: what is staged is written."""
    newer: str | None = None
    """A column: rows in which it is higher than what was staged stay, and count as unchanged. None: whatever differs is changed."""

    @classmethod
    def of(cls, spec: WriteSpec, newer: str | None = None) -> Self:
        """What ``spec.write`` says."""
        merge = (spec.conflict or Conflict()) if spec.on_existing == "Merge" else None
        return cls(insert=spec.on_missing == "Insert", update=spec.on_existing != "Skip", merge=merge, newer=newer)


UPSERT = Policy()
"""Insert and update."""
