"""Which fields of a document are read: the mask that keeps the others from being sent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

OWN = re.compile(r"__.*__", re.DOTALL)
"""Names that are no fields: Firestore keeps them for itself, and records have what it knows of a document under them."""
_SIMPLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

FieldPath = tuple[str, ...]

_OF_POINTS = frozenset(("latitude", "longitude"))
"""Parts of a geo point, which is one value to a mask."""
_FIRST = frozenset(("index_expression", "projection", "value_projection", "filter_projection", "flatten", "pipe"))
"""Nodes that look at the record with their first part only; the rest look at what that found."""
_EACH = frozenset(
    (
        "function_expression",
        "comparator",
        "and_expression",
        "or_expression",
        "not_expression",
        "multi_select_list",
        "multi_select_dict",
        "key_val_pair",
    )
)


class Whole(Exception):
    """The expression reads the record as a whole."""


def field_mask(expressions: Iterable[str]) -> list[FieldPath] | None:
    """The fields that these JMESPath expressions read, without repeats and in order; None where one needs whole documents."""
    try:
        found = {path for expression in expressions for path in _paths(jmespath.compile(expression).parsed)}
    except (Whole, JMESPathError):
        return None
    # What a mask names as a whole is not to be named in part.
    return sorted(path for path in found if not any(path[:length] in found for length in range(1, len(path))))


def plain_path(expression: str) -> FieldPath | None:
    """Names joined by dots as a path; None where the expression is more than that."""
    try:
        return _dotted(jmespath.compile(expression).parsed)
    except JMESPathError:
        return None


def written(path: FieldPath) -> str:
    """A field path as Firestore writes it: names that are not simple stand in backticks."""
    return ".".join(name if _SIMPLE.fullmatch(name) else "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`" for name in path)


def _paths(node: Any) -> set[FieldPath]:
    kind, children = node["type"], node["children"]
    path = _dotted(node)
    if path is not None:
        return set() if OWN.fullmatch(path[0]) else {path[:-1] if path[1:] and path[-1] in _OF_POINTS else path}
    if kind in _FIRST or kind == "subexpression":
        return _paths(children[0])
    if kind in _EACH:
        return {path for child in children for path in _paths(child)}
    if kind in ("literal", "expref"):
        return set()
    raise Whole


def _dotted(node: Any) -> FieldPath | None:
    if node["type"] == "field":
        return (node["value"],)
    if node["type"] != "subexpression":
        return None
    parts = [_dotted(child) for child in node["children"]]
    return None if None in parts else tuple(name for part in parts if part for name in part)
