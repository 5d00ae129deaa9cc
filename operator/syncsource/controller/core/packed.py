"""Documents at rest: ten thousand specs and statuses are kept compressed, a tenth of their size as Python objects."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from syncsource.resource.status import SyncSourceStatus


def pack(document: Mapping[str, Any]) -> bytes:
    """The document, compressed."""
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), 1)


def plain(packed: bytes) -> bytes:
    """What was packed, as JSON."""
    return zlib.decompress(packed)


def unpack(packed: bytes) -> dict[str, Any]:
    """The document again."""
    document: dict[str, Any] = json.loads(plain(packed))
    return document


def pack_status(status: SyncSourceStatus) -> bytes:
    """The status as the API writes it, compressed. Equal statuses are equal bytes."""
    return zlib.compress(status.model_dump_json(by_alias=True, exclude_none=True).encode(), 1)


def unpack_status(packed: bytes) -> SyncSourceStatus:
    """The status again, its times in whole seconds."""
    return SyncSourceStatus.model_validate_json(plain(packed))
