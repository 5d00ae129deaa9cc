"""Records that are too long to be rows."""

from __future__ import annotations

from typing import Any

import msgspec

from syncsource.records.batch import Broken

EXCERPT = 1000
"""Characters of a record that is not kept whole."""
RECORD_TOO_LARGE = "RecordTooLarge"
_encode = msgspec.json.Encoder(decimal_format="number").encode


def bounded(records: list[Any], longest: int, size: int) -> list[Any]:
    """The records, each that is longer than ``longest`` bytes replaced by a Broken. ``size``: bytes of all, as they came."""
    if size <= longest:
        return records
    texts = list(map(_encode, records))
    if max(map(len, texts), default=0) <= longest:
        return records
    return [too_large(text, len(text), longest) if len(text) > longest else record for record, text in zip(records, texts, strict=True)]


def too_large(beginning: bytes, size: int, longest: int) -> Broken:
    """What stands for a record of which ``beginning`` is known."""
    shown = beginning[: 4 * EXCERPT].decode("utf-8", "replace")[:EXCERPT]
    return Broken(RECORD_TOO_LARGE, f"the record has {size} bytes, more than spec.source.http.maxRecordBytes, {longest}", shown)
