"""Schema validation with the messages of `k8s.io/kube-openapi/pkg/validation` and, for lists, of `schema/listtype`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause, child
from syncsource.localplane.admission.formats import conforms
from syncsource.localplane.admission.schema import Schema

_encode = msgspec.json.Encoder().encode

_INT64 = range(-(2**63), 2**63)


def validate(value: Any, schema: Schema, path: str = "", old: Any = None) -> Iterator[Cause]:
    """The causes below `value`; what did not change since `old` is not checked again (KEP-4008, ratcheting)."""
    if old is not None and same(value, old):
        return
    if value is None and not schema.types:
        return
    value = _as_read(value)
    wrong = _type_cause(value, schema, path)
    if wrong is not None:
        yield wrong
        if isinstance(value, float) and schema.types == ("integer",):
            yield from _number(value, schema, path)
        yield from _enum(value, schema, path)
        return
    yield from _enum(value, schema, path)
    if value is None:
        return
    for check in _CHECKS.get(type_name(value), ()):
        yield from check(value, schema, path)
    yield from _junctors(value, schema, path)
    yield from _below(value, schema, path, old)


def _as_read(value: Any) -> Any:
    """The server reads integers of more than 64 bits as floats."""
    return float(value) if type(value) is int and value not in _INT64 else value


def _enum(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    if schema.enum and (value is None or not any(same(value, allowed) for allowed in schema.enum)):
        yield cause.not_supported(path, value, schema.enum)


def same(left: Any, right: Any) -> bool:
    """JSON equality: true is not 1, and 1 is 1.0."""
    if left is right:
        return True
    if left != right:
        return False
    if type(left) is str:
        return True
    text = _as_text(left)
    return (text != b"" and text == _as_text(right)) or _alike(left, right)


def _as_text(value: Any) -> bytes:
    """Equal texts are the same value; the reverse need not hold. Far cheaper than looking at every value."""
    try:
        return _encode(value)
    except (TypeError, ValueError):
        return b""


def _alike(left: Any, right: Any) -> bool:
    """Whether equal values differ in what Python takes for the same: true and 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict):
        return all(_alike(left[name], right[name]) for name in left)
    return all(map(_alike, left, right)) if isinstance(left, list) else True


def type_name(value: Any) -> str:
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    raise TypeError(f"not a JSON value: {type(value).__name__}")


_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (list, "array"), (dict, "object"), (type(None), "null"),
)  # fmt: skip


def _type_cause(value: Any, schema: Schema, path: str) -> Cause | None:
    name = type_name(value)
    if not schema.types or name in schema.types or (value is None and schema.nullable):
        return None
    if name == "integer" and "number" in schema.types:
        return None
    if name == "number" and "integer" in schema.types and value.is_integer() and int(value) in _INT64:
        return None
    if schema.format and name not in {"string", "array", "null"}:  # the real server names the format, not the type
        return _type_error(path, schema.format, {"integer": "int64", "number": "float64"}.get(name, ""))
    return _type_error(path, ",".join(schema.types), name)


def _type_error(path: str, wanted: str, got: str) -> Cause:
    return cause.type_invalid(path, got, f"{_in_body(path)} must be of type {wanted}: {cause.quoted(got)}")


def _in_body(path: str) -> str:
    return f"{path} in body"


def _number(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    yield from _format_range(value, schema, path)
    low, high, step = schema.minimum, schema.maximum, schema.multiple_of
    if low is not None and (value <= low if schema.exclusive_minimum else value < low):
        relation = "greater than" if schema.exclusive_minimum else "greater than or equal to"
        yield cause.invalid(path, value, f"{_in_body(path)} should be {relation} {_bound(low, value)}")
    if high is not None and (value >= high if schema.exclusive_maximum else value > high):
        relation = "less than" if schema.exclusive_maximum else "less than or equal to"
        yield cause.invalid(path, value, f"{_in_body(path)} should be {relation} {_bound(high, value)}")
    if step and isinstance(value, int) and int(step) == 0:
        yield cause.invalid(path, 0, f"factor MultipleOf declared for {path} must be positive: 0")
    elif step and Decimal(str(value)) % Decimal(str(step)):
        yield cause.invalid(path, value, f"{_in_body(path)} should be a multiple of {_bound(step, value)}")


def _format_range(value: float, schema: Schema, path: str) -> Iterator[Cause]:
    """Whether the number is one of its type and format."""
    limit = _LIMITS.get(schema.format)
    is_whole = isinstance(value, int) or (value.is_integer() and int(value) in _INT64)
    fits = limit is None or -limit - (limit < 2**53 and schema.format == "int32") <= value <= limit
    if schema.types in (("integer",), ("number",)) and not (fits and (is_whole or schema.types == ("number",))):
        shown = f"with format {schema.format}" if schema.format else "(default format)"
        yield cause.invalid("", "", f"Checked value must be of type {schema.types[0]} {shown} in {path}")


_LIMITS = {"int32": 2**31 - 1, "float": 3.4028234663852886e38}


def _bound(bound: float, value: float) -> str:
    """As the server prints a bound: as an integer beside an integer."""
    return str(int(bound)) if isinstance(value, int) else cause.go_float(float(bound))


def _string(value: str, schema: Schema, path: str) -> Iterator[Cause]:
    if schema.max_length is not None and len(value) > schema.max_length:
        yield cause.too_long(path, schema.max_length)
    elif schema.min_length is not None and len(value) < schema.min_length:
        yield cause.invalid(path, value, f"{_in_body(path)} should be at least {schema.min_length} chars long")
    elif schema.pattern is not None and not schema.pattern.search(value):
        yield cause.invalid(path, value, f"{_in_body(path)} should match '{schema.pattern.pattern}'")
    if schema.format and not conforms(value, schema.format):
        yield cause.type_invalid(path, value, f"{_in_body(path)} must be of type {schema.format}: {cause.quoted(value)}")


def _array(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    if schema.max_items is not None and len(value) > schema.max_items:
        yield cause.too_many(path, len(value), schema.max_items)
    if schema.min_items is not None and len(value) < schema.min_items:
        yield cause.invalid(path, len(value), f"{_in_body(path)} should have at least {schema.min_items} items")


def _object(value: dict[str, Any], schema: Schema, path: str) -> Iterator[Cause]:
    if schema.max_properties is not None and len(value) > schema.max_properties:
        yield cause.too_many(path, len(value), schema.max_properties)
    if schema.min_properties is not None and len(value) < schema.min_properties:
        yield cause.invalid(path, len(value), f"{_in_body(path)} should have at least {schema.min_properties} properties")
    for name in schema.required:
        if name not in value:
            yield cause.required(child(path, name))


_CHECKS: dict[str, tuple[Callable[[Any, Schema, str], Iterator[Cause]], ...]] = {
    "integer": (_number,), "number": (_number,), "string": (_string,), "array": (_array,), "object": (_object,),
}  # fmt: skip


def _junctors(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    name = cause.quoted(path)
    failures = [found for sub in schema.all_of for found in validate(value, sub, path)]
    if failures:
        yield cause.invalid("", "", f"{name} must validate all the schemas (allOf)")
        yield from failures
    if schema.any_of and not any(_holds(value, sub, path) for sub in schema.any_of):
        yield cause.invalid("", "", f"{name} must validate at least one schema (anyOf)")
        yield from validate(value, schema.any_of[0], path)
    if schema.one_of:
        yield from _one_of(value, schema, path)
    if schema.not_ is not None and _holds(value, schema.not_, path):
        yield cause.invalid("", "", f"{name} must not validate the schema (not)")


def _one_of(value: Any, schema: Schema, path: str) -> Iterator[Cause]:
    held = sum(_holds(value, sub, path) for sub in schema.one_of)
    if held != 1:
        found = "none valid" if held == 0 else f"{held} valid alternatives"
        yield cause.invalid("", "", f"{cause.quoted(path)} must validate one and only one schema (oneOf). Found {found}")
    if held == 0:
        yield from validate(value, schema.one_of[0], path)


def _holds(value: Any, schema: Schema, path: str) -> bool:
    return next(validate(value, schema, path), None) is None


def _below(value: Any, schema: Schema, path: str, old: Any) -> Iterator[Cause]:
    if isinstance(value, dict):
        previous = old if isinstance(old, dict) else {}
        for name, item in value.items():
            below = schema.property(name)
            if below is not None:
                yield from validate(item, below, child(path, name), previous.get(name))
    elif isinstance(value, list) and schema.items is not None:
        before = correlated(old, value, schema)
        for index, item in enumerate(value):
            yield from validate(item, schema.items, f"{path}[{index}]", before[index])


def correlated(old: Any, value: list[Any], schema: Schema) -> list[Any]:
    """For each item of the list the old item with its keys; None where there is none, and in lists not of type map."""
    if schema.list_type != "map" or not isinstance(old, list):
        return [None] * len(value)
    before = {repr(sorted(map_key(item, schema).items())): item for item in reversed(old)}
    return [before.get(repr(sorted(map_key(item, schema).items()))) for item in value]


def map_key(item: Any, schema: Schema) -> dict[str, Any]:
    """What identifies an item of a list of type map."""
    return {name: item[name] for name in schema.list_map_keys if name in item} if isinstance(item, dict) else {}


def validate_lists(value: Any, schema: Schema, path: str = "") -> Iterator[Cause]:
    """Duplicates in lists of type set and map."""
    if isinstance(value, dict):
        for name, item in value.items():
            below = schema.property(name)
            if below is not None:
                yield from validate_lists(item, below, child(path, name))
    elif isinstance(value, list) and schema.items is not None:
        yield from _duplicates(value, schema, path)
        for index, item in enumerate(value):
            yield from validate_lists(item, schema.items, f"{path}[{index}]")


def _duplicates(value: list[Any], schema: Schema, path: str) -> Iterator[Cause]:
    if schema.list_type == "atomic":
        return
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        if schema.list_type == "map" and not isinstance(item, dict):
            yield cause.invalid(f"{path}[{index}]", item, "must be an object for an array of list-type map")
            continue
        identity = map_key(item, schema) if schema.list_type == "map" else item
        mark = repr(sorted(identity.items()) if isinstance(identity, dict) else identity)
        seen[mark] = seen.get(mark, 0) + 1
        if seen[mark] == 2:  # once is enough
            yield cause.duplicate(f"{path}[{index}]", identity)
