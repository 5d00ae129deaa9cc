"""What is wrong with records of one page, while it becomes rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from syncsource.errors import outside_text
from syncsource.records.batch import Broken, Rejected
from syncsource.records.converting import to_json

_Item = TypeVar("_Item")

EXCERPT = 120
"""Characters of a value that are kept beside its record."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a record can't become a row."""

    reason: str
    message: str
    field: str | None = None
    excerpt: str | None = None


class Faults(dict[int, Fault]):
    """Faults by the record's place in the page; a record's first is kept."""

    def add(self, index: int, reason: str, message: str, field: str | None = None, excerpt: str | None = None) -> None:
        """Of the record at ``index``."""
        if index not in self:
            self[index] = Fault(reason, message, field, excerpt)

    def left(self, items: Sequence[_Item]) -> Sequence[_Item]:
        """The items of records without a fault."""
        return [item for index, item in enumerate(items) if index not in self] if self else items

    def among(self, kept: Sequence[int]) -> Faults:
        """Those of the records at these places, which stand there one after the other."""
        return Faults({index: self[place] for index, place in enumerate(kept) if place in self}) if self else self


def rejected(record: Any, fault: Fault, place: str, position: int) -> Rejected:
    """A record with what is wrong with it, and where it stood."""
    partial = isinstance(record, Broken)
    kept = to_json(record.record if partial else record)
    return Rejected(kept, fault.reason, fault.message, fault.field, fault.excerpt, place or None, position, partial=partial)


def excerpt(value: Any) -> str:
    """A value at fault, as much of it as is kept."""
    return outside_text(value if isinstance(value, str) else to_json(value), EXCERPT)
