"""JSON as it is stored and sent: keys sorted, no spaces, as the real server encodes unstructured objects."""

from __future__ import annotations

from typing import Any

import msgspec

_sorted = msgspec.json.Encoder(order="deterministic")
_as_given = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder()


def encode(value: Any) -> bytes:
    """Canonical JSON: equal objects have equal bytes."""
    return _sorted.encode(value)


def encode_ordered(value: Any) -> bytes:
    """JSON in the order the value was built, for what the real server encodes from structs."""
    return _as_given.encode(value)


def decode(body: bytes) -> Any:
    """Raises ValueError for what is not JSON."""
    return _decoder.decode(body)
