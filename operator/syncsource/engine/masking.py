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
        self._names = {field.name for field in fields}
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
        return self.words(entry.reason, entry.message, entry.field)

    def words(self, reason: str, message: str, field: str | None = None) -> str:
        """The same of any record at fault. ``field``: the one at fault; None: the one that the message begins with, if it does."""
        field = field or message.partition(": ")[0]
        if not self._hides(reason, field):
            return outside_text(message, 400)
        about = f"the field {field}" if field in self._names else "the record"
        return f"{about} is at fault; the words are masked, since spec.fields marks a value as sensitive"

    def excerpt(self, entry: Entry) -> str | None:
        """The value at fault."""
        return MASK if entry.excerpt is not None and self._hides(entry.reason, entry.field or "") else entry.excerpt

    def _hides(self, reason: str, field: str) -> bool:
        """A message about no field, or about several by a path of its own, may quote any of the record."""
        plain = field in self._names and reason in _OWN_VALUE_ONLY and all(field != one.name for one in self._fields)
        return bool(reason and self._fields) and not plain and reason not in _QUOTES_NOTHING


_OWN_VALUE_ONLY = frozenset(("InvalidValue", "RuleBroken"))
"""Reasons whose messages quote no other value than the field's."""
_QUOTES_NOTHING = frozenset(("MissingKey", "MissingValue", "NotAnObject", "Filtered"))


def _mask(record: dict[str, Any], place: Sequence[str]) -> None:
    *way, last = place
    inner: Any = record
    for name in way:
        inner = inner.get(name) if isinstance(inner, dict) else None
    if isinstance(inner, dict) and inner.get(last) is not None:
        inner[last] = MASK
