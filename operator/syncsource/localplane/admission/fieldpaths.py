"""JSON paths made of names and map keys only (`.spec.a['b.c']`), as rules and selectable fields use them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|[.\[\]]|[^.\[\]]+")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "'": "'", "\\": "\\"}


def resolve(path: str, schema: dict[str, Any], *, brackets: bool = True) -> tuple[str, dict[str, Any]]:
    """The normal form of `path` (without the leading dot) and the schema that it leads to; raises ValueError."""
    found = ""
    tokens = iter(_TOKEN.findall(path))
    for token in tokens:
        if token == "[":
            if not brackets:
                raise ValueError("array notation is not allowed")
            found, schema = _step(found, schema, _bracketed(tokens))
        elif token == ".":
            found, schema = _step(found, schema, _next(tokens))
        else:
            raise ValueError(f"expected [ or . but got: {token}")
    return found, schema


def _next(tokens: Iterator[str]) -> str:
    token = next(tokens, None)
    if token is None:
        raise ValueError("unexpected end of JSON path")
    return token


def _bracketed(tokens: Iterator[str]) -> str:
    token = _next(tokens)
    if len(token) < 2 or not (token.startswith("'") and token.endswith("'")):
        raise ValueError(f"expected single quoted string but got {token}")
    name = re.sub(r"\\(.)", lambda escaped: _unescaped(escaped[1]), token[1:-1])
    if (end := _next(tokens)) != "]":
        raise ValueError(f"expected ] but got {end}")
    return name


def _unescaped(letter: str) -> str:
    if letter not in _ESCAPES:
        raise ValueError(f"invalid string literal: invalid escape char \\{letter}")
    return _ESCAPES[letter]


def _step(found: str, schema: dict[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    properties, additional = schema.get("properties"), schema.get("additionalProperties")
    if properties:
        if name not in properties:
            raise ValueError("does not refer to a valid field")
        return (f"{found}.{name}" if found else name), properties[name]
    if isinstance(additional, dict):
        return f"{found}[{name}]", additional
    raise ValueError("does not refer to a valid field")
