"""Kubernetes' protobuf form of objects, written as Go clients write it: the other side of what the server reads."""

from __future__ import annotations

import base64
import datetime as dt
import json
import struct
from typing import Any

from syncsource.localplane.registry.apitypes import SCALARS, Field, api_type


def body(api_version: str, kind: str, raw: bytes) -> bytes:
    """The envelope around an object."""
    meta = part(1, api_version.encode()) + part(2, kind.encode())
    return b"k8s\x00" + part(1, meta) + part(2, raw) + part(3, b"") + part(4, b"")


def message(name: str, value: dict[str, Any]) -> bytes:
    """`value` as a message of a built-in type."""
    return b"".join(_field(number, declared, value) for number, declared in api_type(name).numbers.items())


def part(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])


def _field(number: int, declared: Field, value: dict[str, Any]) -> bytes:
    if declared.is_inline:
        return part(number, message(declared.base, value))
    found = value.get(declared.name)
    if found is None:
        return b""
    if declared.shape == "[]":
        return b"".join(_single(number, declared.base, item) for item in found)
    if declared.shape == "{}":
        return b"".join(part(number, part(1, key.encode()) + _single(2, declared.base, item)) for key, item in found.items())
    return _single(number, declared.base, found)


def _single(number: int, base: str, value: Any) -> bytes:
    if base not in SCALARS:
        return part(number, message(base, value))
    match base:
        case "float64":
            return varint(number << 3 | 1) + struct.pack("<d", value)
        case "int32" | "int64" | "bool":
            return part(number, int(value))
        case "bytes":
            return part(number, base64.b64decode(value))
        case "time" | "micro":
            return part(number, _instant(value))
        case "intstr":
            return part(number, part(1, 1) + part(3, value.encode()) if isinstance(value, str) else part(1, 0) + part(2, value))
        case "quantity":
            return part(number, part(1, value.encode()))
        case "raw" | "any":
            return part(number, part(1, json.dumps(value).encode()))
        case "words":
            return part(number, b"".join(part(1, word.encode()) for word in value))
    return part(number, value.encode())


def _instant(text: str) -> bytes:
    moment = dt.datetime.fromisoformat(text)
    return part(1, int(moment.timestamp())) + part(2, moment.microsecond * 1000)
