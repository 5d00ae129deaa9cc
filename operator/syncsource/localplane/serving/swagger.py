"""The Swagger document in protobuf, which is all that kubectl before 1.27 takes: it validates and explains by it.

The field numbers are those of gnostic's `OpenAPIv2.proto`. Definitions only: those clients read no paths.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Without the @ that clients ask with: Go can't parse it in an answer."""
_KIND = "x-kubernetes-group-version-kind"
_ANYTHING = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "nullable")
"""Extensions that Swagger can't say: published as a schema that takes any value."""

Schema = Mapping[str, Any]


def encode_swagger(document: Mapping[str, Any]) -> bytes:
    """The document of `openapi.document_v2`."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    return _text(1, document["swagger"]) + _bytes(2, info) + _bytes(8, b"") + _bytes(9, _named(document["definitions"]))


def _named(schemas: Mapping[str, Schema]) -> bytes:
    return b"".join(_bytes(1, _text(1, name) + _bytes(2, _schema(schema))) for name, schema in schemas.items())


def _schema(schema: Schema) -> bytes:
    parts = [_text(4, schema.get("description", "")), *(_extension(schema) if _KIND in schema else ())]
    if "$ref" in schema:
        return b"".join([_text(1, schema["$ref"]), *parts])
    if not any(schema.get(name) for name in _ANYTHING):
        parts += _shape(schema)
    return b"".join(parts)


def _shape(schema: Schema) -> Iterable[bytes]:
    yield _text(2, schema.get("format", ""))
    yield from (_text(19, name) for name in schema.get("required", ()))
    below = schema.get("additionalProperties")
    if isinstance(below, Mapping):
        yield _bytes(21, _bytes(1, _schema(below)))
    if "type" in schema:
        yield _bytes(22, _text(1, schema["type"]))
    if "items" in schema:
        yield _bytes(23, _bytes(1, _schema(schema["items"])))
    if "properties" in schema:
        yield _bytes(25, _named(schema["properties"]))


def _extension(schema: Schema) -> Iterable[bytes]:
    yield _bytes(31, _text(1, _KIND) + _bytes(2, _text(2, json.dumps(schema[_KIND]))))


def _text(number: int, text: str) -> bytes:
    """proto3: an empty text is not written."""
    return _bytes(number, text.encode()) if text else b""


def _bytes(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
