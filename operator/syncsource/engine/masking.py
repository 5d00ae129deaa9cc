"""How quarantined records are shown: without the values of fields that are marked sensitive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from syncsource.errors import outside_text
from syncsource.ledger import Entry
from syncsource.records import paths
from syncsource.records.converting import from_json
from syncsource.resource.fields import FieldSpec

MASK = "***"


class Mask:
    """Of one spec. What can't be told apart from a sensitive value is masked with it."""

    def __init__(self, fields: Sequence[FieldSpec]) -> None:
        self._fields = [field for field in fields if field.sensitive]

    def record(self, entry: Entry) -> Any:
        """The record, its sensitive values masked; all of it where they can't be found in it."""
        record = from_json(entry.record)
        if not self._fields:
            return record
        if not isinstance(record, dict):
            return MASK
        places = [[field.name] if entry.as_row else paths.names(field.path or paths.quoted(field.name)) for field in self._fields]
        if any(place is None for place in places):
            return MASK
        for place in places:
            _mask(record, place or [])
        return record

    def message(self, entry: Entry) -> str:
        """The message; where it may quote a sensitive value, only what it is about."""
        if not self._hides(entry):
            return outside_text(entry.message, 400)
        about = f"the field {entry.field}" if entry.field else "the record"
        return f"{about} is at fault; the words are masked, since spec.fields marks a value as sensitive"

    def excerpt(self, entry: Entry) -> str | None:
        """The value at fault."""
        return MASK if entry.excerpt is not None and self._hides(entry) else entry.excerpt

    def _hides(self, entry: Entry) -> bool:
        """A message that is about no field, or about several by a path of its own, may quote any of the record."""
        names = {field.name for field in self._fields}
        return bool(names) and (entry.field is None or entry.field in names or entry.reason not in _OWN_VALUE_ONLY)


_OWN_VALUE_ONLY = frozenset(("InvalidValue", "MissingKey", "MissingValue", "RuleBroken"))
"""Reasons whose messages quote no other value than the field's."""


def _mask(record: dict[str, Any], place: Sequence[str]) -> None:
    *way, last = place
    inner: Any = record
    for name in way:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if isinstance(inner, dict) and inner.get(last) is not None:
        inner[last] = MASK
