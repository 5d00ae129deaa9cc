"""What the source remembers between reads: the type of the cursor's values, and what the last read found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from syncsource.errors import SchemaMismatch, outside_text
from syncsource.sources.firestore.mask import FieldPath, written
from syncsource.sources.firestore.query import value_at

NUMBER, TIMESTAMP, TEXT = "number", "timestamp", "text"
_KINDS = {"integerValue": NUMBER, "doubleValue": NUMBER, "timestampValue": TIMESTAMP, "stringValue": TEXT}
_ZONED = re.compile(r"(Z|[+-]\d\d:\d\d)$")
_INTEGER = re.compile(r"[+-]?\d+")


class Bookmark(msgspec.Struct, frozen=True, kw_only=True):
    """Kept as JSON beside the cursor. Holds no content of a document."""

    kind: str | None = None
    """The type of the cursor's values; None: no value was seen."""
    since: str | None = None
    """Where that read began."""
    found: str | None = None
    """A digest of what it found; None where that took more than one page."""

    @classmethod
    def parse(cls, text: str | None) -> Bookmark:
        """An empty one where there is none, or one that this version can't read."""
        try:
            return msgspec.json.decode(text, type=cls) if text else cls()
        except (msgspec.MsgspecError, ValueError):
            return cls()

    def text(self) -> str:
        return msgspec.json.encode(self).decode()


def digest(documents: Iterable[Mapping[str, Any]]) -> str | None:
    """32 hex digits over the names and update times of these documents, in their order; None where one has no update time."""
    whole = [[document["name"], document.get("updateTime")] for document in documents]
    if any(updated is None for _, updated in whole):
        return None
    return blake2b(msgspec.json.encode(whole), digest_size=16).hexdigest()


def as_value(text: str, kind: str) -> dict[str, str]:
    """A cursor's text as the Value that a query compares with."""
    if kind == NUMBER:
        return {"integerValue" if _INTEGER.fullmatch(text) else "doubleValue": text}
    return {"timestampValue": _instant(text)} if kind == TIMESTAMP else {"stringValue": text}


def _instant(text: str) -> str:
    """An instant or a date as RFC 3339 has it; what names no zone is in UTC."""
    whole = text.replace(" ", "T", 1) if "T" in text or " " in text else f"{text}T00:00:00"
    return whole if _ZONED.search(whole) else f"{whole}Z"


class Kinds:
    """Watches the type of the cursor's values over a read: a query that begins at a value finds what has its type."""

    def __init__(self, path: FieldPath, kind: str | None = None) -> None:
        self._path = path
        self.kind = kind

    def see(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Raises SchemaMismatch where a value is of another type than those before, or can't be a cursor."""
        for document in documents:
            value = value_at(document, self._path)
            if isinstance(value, dict) and "nullValue" not in value and (kind := self._kind(document, value)) != self.kind:
                if self.kind is not None:
                    raise self._mismatch(document, f"is a {kind}, and a {self.kind} elsewhere; an incremental read would miss one of them")
                self.kind = kind

    def _kind(self, document: Mapping[str, Any], value: Mapping[str, Any]) -> str:
        name = next(iter(value), "")
        if name not in _KINDS:
            raise self._mismatch(
                document, f"has the type {outside_text(name, 40)}, which can't be a cursor; it must be a timestamp, number or text"
            )
        return _KINDS[name]

    def _mismatch(self, document: Mapping[str, Any], what: str) -> SchemaMismatch:
        shown = outside_text(document["name"].partition("/documents/")[2], 120)
        return SchemaMismatch(
            f"spec.incremental.cursor: {written(self._path)} of the document {shown} {what}; mend the documents, or read without incremental"
        )
