"""Kubernetes' protobuf bodies, which kubectl's `create` commands and Go clients send (`runtime/serializer/protobuf`).

Read only: answers are JSON, which every client takes. The field numbers are those of `apitypes.txt`; what has another number is
skipped, as the real server does.
"""

from __future__ import annotations

import base64
import datetime as dt
import struct
from collections.abc import Callable, Iterator
from typing import Any

from syncsource.localplane.registry.apitypes import SCALARS, Field, api_type
from syncsource.localplane.registry.builtin import type_names
from syncsource.localplane.storage.encoding import decode

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_NANOSECONDS = 10**9


def decode_protobuf(body: bytes) -> dict[str, Any]:
    """The object in a protobuf body; raises ValueError for what can't be read and for kinds that are not built in."""
    if not body.startswith(_MAGIC):
        raise ValueError("the body is not in the Kubernetes protobuf format")
    envelope = dict(_parts(body[len(_MAGIC) :]))
    meta = dict(_parts(_expect(envelope.get(1, (_BYTES, b"")), _BYTES)))
    api_version, kind = (_text(_expect(meta.get(number, (_BYTES, b"")), _BYTES)) for number in (1, 2))
    name = _type_name(api_version, kind)
    return {**_message(_expect(envelope.get(2, (_BYTES, b"")), _BYTES), name), "apiVersion": api_version, "kind": kind}


def _type_name(api_version: str, kind: str) -> str:
    if kind == "DeleteOptions":
        return "meta.v1.DeleteOptions"
    try:
        return type_names()[api_version, kind]
    except KeyError:
        raise ValueError(f"no protobuf form of kind {kind!r} in version {api_version!r} is known") from None


def _message(data: bytes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    numbers = api_type(name).numbers
    for number, part in _parts(data):
        declared = numbers.get(number)
        if declared is not None:
            _READERS[declared.shape](found, declared, part)
    return found


Part = tuple[int, Any]


def _read_single(found: dict[str, Any], declared: Field, part: Part) -> None:
    value = _value(part, declared)
    if declared.is_inline:
        found.update(value)
    elif value is not None:
        found[declared.name] = value


def _read_list(found: dict[str, Any], declared: Field, part: Part) -> None:
    items = found.setdefault(declared.name, [])
    if part[0] == _BYTES and declared.base in {"int32", "int64", "bool"}:
        items += [_SCALARS[declared.base]((_VARINT, number)) for number in _packed(part[1])]
    else:
        items.append(_value(part, declared))


def _read_map(found: dict[str, Any], declared: Field, part: Part) -> None:
    entry = dict(_parts(_expect(part, _BYTES)))
    key = _text(_expect(entry.get(1, (_BYTES, b"")), _BYTES))
    found.setdefault(declared.name, {})[key] = _value(entry.get(2, (_BYTES, b"")), declared)


_READERS: dict[str, Callable[[dict[str, Any], Field, Part], None]] = {"": _read_single, "[]": _read_list, "{}": _read_map}


def _value(part: Part, declared: Field) -> Any:
    if declared.base in SCALARS:
        return _SCALARS[declared.base](part)
    return _message(_expect(part, _BYTES), declared.base)


def _expect(part: Part, wire: int) -> Any:
    if part[0] != wire:
        raise ValueError(f"wrong protobuf wire type {part[0]}, not {wire}")
    return part[1]


def _text(raw: bytes) -> str:
    return raw.decode()


def _integer(bits: int) -> Callable[[Part], int]:
    def read(part: Part) -> int:
        value = int(_expect(part, _VARINT)) & ((1 << bits) - 1)
        return value - (1 << bits) if value >> (bits - 1) else value

    return read


def _moment(part: Part) -> dt.datetime | None:
    """Nothing is no time; zero is the beginning of 1970."""
    if not _expect(part, _BYTES):
        return None
    fields = dict(_parts(part[1]))
    seconds, nanos = _INT64(fields.get(1, (_VARINT, 0))), _INT32(fields.get(2, (_VARINT, 0)))
    if not 0 <= nanos < _NANOSECONDS:
        raise ValueError("a protobuf time with nanoseconds out of range")
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).replace(microsecond=nanos // 1000)
    except (ValueError, OverflowError, OSError):
        raise ValueError("a protobuf time out of range") from None


def _time(form: str) -> Callable[[Part], str | None]:
    def read(part: Part) -> str | None:
        moment = _moment(part)
        return moment.strftime(form) if moment else None

    return read


def _quantity(part: Part) -> str:
    text = dict(_parts(_expect(part, _BYTES))).get(1, (_BYTES, b"0"))
    return _text(_expect(text, _BYTES))


def _int_or_string(part: Part) -> int | str:
    fields = dict(_parts(_expect(part, _BYTES)))
    if _INT64(fields.get(1, (_VARINT, 0))) == 0:
        return _INT32(fields.get(2, (_VARINT, 0)))
    return _text(_expect(fields.get(3, (_BYTES, b"")), _BYTES))


def _duration(part: Part) -> str:
    nanos = _INT64(dict(_parts(_expect(part, _BYTES))).get(1, (_VARINT, 0)))
    return f"{nanos / _NANOSECONDS:g}s"


def _json(part: Part) -> Any:
    """JSON within protobuf: null where it is empty."""
    raw = _expect(dict(_parts(_expect(part, _BYTES))).get(1, (_BYTES, b"")), _BYTES)
    return decode(raw) if raw else None


def _words(part: Part) -> list[str]:
    return [_text(_expect(each, _BYTES)) for number, each in _parts(_expect(part, _BYTES)) if number == 1]


def _double(part: Part) -> float:
    return float(struct.unpack("<d", _expect(part, _FIXED64))[0])


_INT32, _INT64 = _integer(32), _integer(64)
_SCALARS: dict[str, Callable[[Part], Any]] = {
    "text": lambda part: _text(_expect(part, _BYTES)),
    "bytes": lambda part: base64.b64encode(_expect(part, _BYTES)).decode(),
    "bool": lambda part: bool(_expect(part, _VARINT)),
    "int32": _INT32,
    "int64": _INT64,
    "float64": _double,
    "time": _time("%Y-%m-%dT%H:%M:%SZ"),
    "micro": _time("%Y-%m-%dT%H:%M:%S.%fZ"),
    "duration": _duration,
    "quantity": _quantity,
    "intstr": _int_or_string,
    "raw": _json,
    "any": _json,
    "words": _words,
}


def _parts(data: bytes) -> Iterator[tuple[int, Part]]:
    """The fields of a message: numbers, with wire types and values."""
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if not number:
            raise ValueError("protobuf field number 0")
        if wire == _VARINT:
            value, position = _varint(data, position)
            yield number, (wire, value)
            continue
        length, position = _varint(data, position) if wire == _BYTES else (_SIZES.get(wire, -1), position)
        if length < 0 or position + length > len(data):
            raise ValueError("truncated protobuf message")
        yield number, (wire, data[position : position + length])
        position += length


def _packed(data: bytes) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise ValueError("truncated protobuf number")
