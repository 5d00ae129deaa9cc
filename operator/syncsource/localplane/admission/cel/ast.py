"""A checked expression as cel-cpp hands it out (`cel.expr.CheckedExpr`, in protobuf's wire format), read into plain nodes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "dyn", 2: "timestamp", 3: "duration"}


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its kind: a scalar's name, `list`, `map`, `message`, `abstract`, `dyn` or another that has no size."""

    kind: str
    name: str = ""
    parameters: tuple[Type, ...] = ()


@dataclass(frozen=True, slots=True)
class Expr:
    """One node. `kind` says which of the others are set: const (`value`), ident (`name`), select (`name`, `operands[0]`,
    `test_only`), call (`name`, `target`, `operands`), list (`operands`), map (`operands`: keys and values), message and
    comprehension (`operands`: range, initial value, condition, step, result; `variables`: one or two, then the accumulator).
    """

    id: int
    kind: str
    name: str = ""
    value: Any = None
    target: Expr | None = None
    operands: tuple[Expr, ...] = ()
    test_only: bool = False
    variables: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """An expression with the type of every node, the overloads of every call and the offset in the source, by the id of the node;
    `names` are those of variables and functions.
    """

    expr: Expr
    types: dict[int, Type]
    overloads: dict[int, tuple[str, ...]]
    names: frozenset[str]
    positions: dict[int, int]


def read_checked(serialized: bytes) -> Checked:
    """Read what `Expression.serialize` returns."""
    message = _fields(_one(_fields(serialized), 2, b""))
    references = {_number(entry, 1): _fields(_one(entry, 2, b"")) for entry in map(_fields, message.get(2, ()))}
    return Checked(
        expr=_expr(_one(message, 4, b"")),
        types={_number(entry, 1): _type(_one(entry, 2, b"")) for entry in map(_fields, message.get(3, ()))},
        overloads={node: tuple(map(_text, reference.get(3, ()))) for node, reference in references.items() if 3 in reference},
        positions={_number(entry, 1): _number(entry, 2) for entry in map(_fields, _fields(_one(message, 5, b"")).get(4, ()))},
        names=frozenset(_text(_one(reference, 1, b"")) for reference in references.values()),
    )


def walk(expr: Expr) -> Iterator[Expr]:
    """The node and all below it, as they stand in the source."""
    yield expr
    for below in (*([expr.target] if expr.target else []), *expr.operands):
        yield from walk(below)


def _wire(data: bytes) -> Iterator[tuple[int, Any]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        match tag & 7:
            case 0:
                value, position = _varint(data, position)
                yield tag >> 3, value
            case 1:
                yield tag >> 3, data[position : position + 8]
                position += 8
            case 2:
                size, position = _varint(data, position)
                yield tag >> 3, data[position : position + size]
                position += size
            case other:
                raise ValueError(f"unknown wire type {other}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


def _fields(data: bytes) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for number, value in _wire(data):
        found.setdefault(number, []).append(value)
    return found


def _one(fields: dict[int, list[Any]], number: int, default: Any) -> Any:
    return fields[number][-1] if number in fields else default


def _number(fields: dict[int, list[Any]], number: int) -> int:
    return int(_one(fields, number, 0))


def _text(data: bytes) -> str:
    return data.decode()


def _expr(data: bytes) -> Expr:
    fields = _fields(data)
    node = _number(fields, 2)
    for number, read in _KINDS.items():
        if number in fields:
            return read(node, _fields(fields[number][-1]))
    return Expr(node, "none")


def _const(node: int, fields: dict[int, list[Any]]) -> Expr:
    number, values = next(iter(fields.items()), (1, [None]))
    value: Any = values[0]
    match number:
        case 2:
            value = bool(value)
        case 3:
            value = value - 2**64 if value >= 2**63 else value
        case 5:
            value = struct.unpack("<d", value)[0]
        case 6:
            value = _text(value)
        case 1 | 8 | 9:
            value = None
    return Expr(node, "const", value=value)


def _ident(node: int, fields: dict[int, list[Any]]) -> Expr:
    return Expr(node, "ident", name=_text(_one(fields, 1, b"")))


def _select(node: int, fields: dict[int, list[Any]]) -> Expr:
    operand = _expr(_one(fields, 1, b""))
    return Expr(node, "select", name=_text(_one(fields, 2, b"")), operands=(operand,), test_only=bool(_number(fields, 3)))


def _call(node: int, fields: dict[int, list[Any]]) -> Expr:
    target = _expr(fields[1][-1]) if 1 in fields else None
    return Expr(node, "call", name=_text(_one(fields, 2, b"")), target=target, operands=tuple(map(_expr, fields.get(3, ()))))


def _list(node: int, fields: dict[int, list[Any]]) -> Expr:
    return Expr(node, "list", operands=tuple(map(_expr, fields.get(1, ()))))


def _struct(node: int, fields: dict[int, list[Any]]) -> Expr:
    entries = [_fields(entry) for entry in fields.get(2, ())]
    operands = tuple(_expr(entry[number][-1]) for entry in entries for number in (3, 4) if number in entry)
    return Expr(node, "message" if 1 in fields else "map", operands=operands)


def _comprehension(node: int, fields: dict[int, list[Any]]) -> Expr:
    operands = tuple(_expr(_one(fields, number, b"")) for number in (2, 4, 5, 6, 7))
    names = tuple(_text(fields[number][-1]) for number in (1, 8, 3) if number in fields)
    return Expr(node, "comprehension", operands=operands, variables=names)


_KINDS = {3: _const, 4: _ident, 5: _select, 6: _call, 7: _list, 8: _struct, 9: _comprehension}


def _type(data: bytes) -> Type:
    fields = _fields(data)
    number, values = next(iter(fields.items()), (1, [b""]))
    value: Any = values[0]
    match number:
        case 3 | 4:
            return Type(_PRIMITIVES.get(value, "dyn"))
        case 5:
            return Type(_WELL_KNOWN.get(value, "dyn"))
        case 6:
            return Type("list", parameters=(_type(_one(_fields(value), 1, b"")),))
        case 7:
            inner = _fields(value)
            return Type("map", parameters=(_type(_one(inner, 1, b"")), _type(_one(inner, 2, b""))))
        case 9:
            return Type("message", _text(value))
        case 10:
            return Type("parameter", _text(value))
        case 14:
            inner = _fields(value)
            return Type("abstract", _text(_one(inner, 1, b"")), tuple(map(_type, inner.get(2, ()))))
        case 2:
            return Type("null")
        case _:
            return Type("dyn")
