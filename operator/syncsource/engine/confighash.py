"""The hash that a cursor carries: what must not change for the cursor to go on meaning what it meant."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from syncsource.resource.spec import SyncSourceSpec

_TUNING = {"rateLimit", "retry", "timeout", "connectTimeout", "readTimeout", "pageSize", "maxPageBytes", "maxBytes", "tls", "proxy"}
"""Parts of a source that say how it is reached and how politely it is read, not what is read."""


def config_hash(spec: SyncSourceSpec) -> str:
    """32 hex digits over source, filter, incremental (but its lookback and the size of its windows), keys, fields, table and write: who turns Skip into Update wants
    the rows that were skipped.

    What has its default is left out, so that a version that knows more fields makes no cursor worthless.
    """
    whole = spec.model_dump(by_alias=True, mode="json", exclude_none=True, exclude_defaults=True)
    source = _what(whole["source"][spec.source.kind])
    if "download" in source:
        source["download"] = _what(source["download"])
    incremental = {name: value for name, value in whole.get("incremental", {}).items() if name != "lookback"}
    if "window" in incremental:
        incremental["window"] = incremental["window"]["start"]
    sql = whole["destination"]["sql"]
    parts = [
        source,
        incremental,
        whole["keys"],
        whole.get("fields", []),
        sql.get("schema"),
        sql["table"],
        *([spec.filter] if spec.filter else []),
        *([whole["write"]] if "write" in whole else []),
    ]
    return blake2b(msgspec.json.encode(parts, order="sorted"), digest_size=16).hexdigest()


def _what(source: dict[str, Any]) -> dict[str, Any]:
    """What is read."""
    return {name: value for name, value in source.items() if name not in _TUNING}
