"""Which schemas a CustomResourceDefinition may have (`pkg/apis/apiextensions/validation`, structural schemas).

The paths are those of the real server, which moves a schema that all versions share to `spec.validation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import re2  # type: ignore[import-untyped]

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

TYPES = ("array", "boolean", "integer", "number", "object", "string")
_LISTS = ("atomic", "set", "map")
_NESTED = ("items", "not", "additionalProperties")
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_RULE = {"rule": str, "message": str, "messageExpression": str, "reason": str, "fieldPath": str, "optionalOldSelf": bool}
_KEYWORDS = frozenset(
    [
        "$ref",
        "$schema",
        "additionalItems",
        "additionalProperties",
        "allOf",
        "anyOf",
        "default",
        "definitions",
        "dependencies",
        "description",
        "enum",
        "example",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "externalDocs",
        "format",
        "id",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "nullable",
        "oneOf",
        "pattern",
        "patternProperties",
        "properties",
        "required",
        "title",
        "type",
        "uniqueItems",
        "x-kubernetes-embedded-resource",
        "x-kubernetes-int-or-string",
        "x-kubernetes-list-map-keys",
        "x-kubernetes-list-type",
        "x-kubernetes-map-type",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ]
)
_WRONG_TYPE: dict[str, type | tuple[type, ...]] = {
    "exclusiveMinimum": bool, "exclusiveMaximum": bool, "uniqueItems": bool, "nullable": bool, "pattern": str, "type": str,
    "format": str, "description": str, "required": list, "enum": list, "properties": dict, "minimum": (int, float),
    "maximum": (int, float), "maxLength": int, "minLength": int, "maxItems": int, "minItems": int, "maxProperties": int,
    "minProperties": int, "allOf": list, "anyOf": list, "oneOf": list, "not": dict, "multipleOf": (int, float),
    "x-kubernetes-list-type": str, "x-kubernetes-list-map-keys": list, "x-kubernetes-map-type": str,
    "x-kubernetes-validations": list, "x-kubernetes-int-or-string": bool, "x-kubernetes-preserve-unknown-fields": bool,
    "x-kubernetes-embedded-resource": bool, "items": dict,
}  # fmt: skip


def check(schema: Any, path: str) -> Iterator[Cause]:
    """What keeps `schema` from being structural."""
    if not isinstance(schema, dict):
        yield cause.type_invalid(path, type(schema).__name__, "must be a schema")
        return
    if schema.get("type") != "object":
        if schema.get("type"):
            yield cause.invalid(f"{path}.type", schema["type"], "must be object at the root")
        else:
            yield cause.required(f"{path}.type", "must not be empty at the root")
    yield from _node(schema, path)


def unknown_keywords(schema: Any, path: str) -> Iterator[str]:
    """Paths of what is no keyword of a JSONSchemaProps, such as `const` or `examples`."""
    if not isinstance(schema, dict):
        return
    yield from (f"{path}.{name}" for name in schema if name not in _KEYWORDS)
    properties = schema.get("properties")
    for name, sub in properties.items() if isinstance(properties, dict) else ():
        yield from unknown_keywords(sub, f"{path}.properties.{name}")
    for name in _NESTED:
        yield from unknown_keywords(schema.get(name), f"{path}.{name}")
    for name in _JUNCTORS:
        junctor = schema.get(name)
        for index, sub in enumerate(junctor if isinstance(junctor, list) else ()):
            yield from unknown_keywords(sub, f"{path}.{name}[{index}]")


def _node(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    wrong = list(_shapes(schema, path))
    if wrong:
        yield from wrong
        return
    for check_part in _CHECKS:
        yield from check_part(schema, path)
    yield from _children(schema, path)


def _shapes(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for name, kind in _WRONG_TYPE.items():
        value = schema.get(name)
        if value is not None and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            yield cause.type_invalid(f"{path}.{name}", value, "has the wrong type")
    for name in ("required", "x-kubernetes-list-map-keys"):
        if not all(isinstance(item, str) for item in _listed(schema, name)):
            yield cause.type_invalid(f"{path}.{name}", schema[name], "must be a list of strings")
    for index, rule in enumerate(_listed(schema, "x-kubernetes-validations")):
        if not isinstance(rule, dict) or not all(isinstance(rule[name], kind) for name, kind in _RULE.items() if name in rule):
            yield cause.type_invalid(f"{path}.x-kubernetes-validations[{index}]", rule, "must be a rule")


def _listed(schema: Mapping[str, Any], name: str) -> list[Any]:
    value = schema.get(name)
    return value if isinstance(value, list) else []


def _children(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    for name, sub in (schema.get("properties") or {}).items():
        yield from _typed(sub, f"{path}.properties[{name}]", "must not be empty for specified object fields")
    if isinstance(schema.get("items"), dict):
        yield from _typed(schema["items"], f"{path}.items", "must not be empty for specified array items")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from _typed(schema["additionalProperties"], f"{path}.additionalProperties", "must not be empty for specified object fields")
    for name in _JUNCTORS:
        for index, sub in enumerate(schema.get(name) or []):
            yield from _value_validation(sub, f"{path}.{name}[{index}]")
    if isinstance(schema.get("not"), dict):
        yield from _value_validation(schema["not"], f"{path}.not")


def _typed(schema: Any, path: str, why: str) -> Iterator[Cause]:
    if not isinstance(schema, dict):
        yield cause.type_invalid(path, type(schema).__name__, "must be a schema")
        return
    any_type = schema.get("x-kubernetes-int-or-string") or schema.get("x-kubernetes-preserve-unknown-fields")
    if not schema.get("type") and not any_type:
        yield cause.required(f"{path}.type", why)
    yield from _node(schema, path)


def _value_validation(schema: Any, path: str) -> Iterator[Cause]:
    """Junctors may only constrain values."""
    if not isinstance(schema, dict):
        yield cause.type_invalid(path, type(schema).__name__, "must be a schema")
        return
    for name in ("type", "default", "description", "title", "nullable", "additionalProperties"):
        if schema.get(name) not in (None, "", False):
            yield cause.forbidden(f"{path}.{name}", "must be empty to be structural")
    for name, sub in (schema.get("properties") or {}).items():
        yield from _value_validation(sub, f"{path}.properties[{name}]")


def _type(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    kind = schema.get("type")
    if kind and kind not in TYPES:
        yield cause.not_supported(f"{path}.type", kind, TYPES)
    if kind and schema.get("x-kubernetes-int-or-string"):
        yield cause.invalid(f"{path}.type", kind, "must be empty if x-kubernetes-int-or-string is true")
    if kind == "array" and not schema.get("items"):
        yield cause.required(f"{path}.items", "must be specified")
    if kind == "integer" and schema.get("format") == "int-or-string":
        yield cause.invalid(f"{path}.format", "int-or-string", "must be x-kubernetes-int-or-string")


def _forbidden(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if schema.get("$ref"):
        yield cause.forbidden(f"{path}.$ref", "$ref is not supported")
    if schema.get("uniqueItems"):
        yield cause.forbidden(f"{path}.uniqueItems", "uniqueItems cannot be set to true since the runtime complexity becomes quadratic")
    if schema.get("additionalProperties") is False:
        yield cause.forbidden(f"{path}.additionalProperties", "additionalProperties cannot be set to false")
    if schema.get("additionalProperties") and schema.get("properties"):
        yield cause.forbidden(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive")
    for name in ("definitions", "dependencies", "patternProperties", "additionalItems", "id"):
        if schema.get(name):
            yield cause.forbidden(f"{path}.{name}", f"{name} is not supported")


def _pattern(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    if not schema.get("pattern"):
        return
    try:
        re2.compile(schema["pattern"])
    except re2.error as wrong:
        detail = f"must be a valid regular expression, but isn't: {wrong}"
        yield cause.invalid(f"{path}.pattern", schema["pattern"], detail)


def _list_type(schema: Mapping[str, Any], path: str) -> Iterator[Cause]:
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys")
    if kind is not None and kind not in _LISTS:
        yield cause.not_supported(f"{path}.x-kubernetes-list-type", kind, _LISTS)
    if kind and schema.get("type") != "array":
        yield cause.invalid(f"{path}.type", schema.get("type") or "", "must be array if x-kubernetes-list-type is specified")
    if keys and kind != "map":
        yield cause.invalid(f"{path}.x-kubernetes-list-type", kind or "", "must be map if x-kubernetes-list-map-keys is non-empty")
    if kind == "map":
        yield from _list_map_keys(schema, path, keys or [])
    if kind == "set" and (schema.get("items") or {}).get("type") in {"object", "array"} and not _is_atomic(schema["items"]):
        yield cause.invalid(f"{path}.items", cause.OMITTED, "must be atomic to be an item of a list of type set")


def _is_atomic(items: Mapping[str, Any]) -> bool:
    return "atomic" in (items.get("x-kubernetes-map-type"), items.get("x-kubernetes-list-type"))


def _list_map_keys(schema: Mapping[str, Any], path: str, keys: list[str]) -> Iterator[Cause]:
    if not keys:
        yield cause.required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    items = schema.get("items") or {}
    for index, key in enumerate(keys):
        sub = (items.get("properties") or {}).get(key)
        if sub is None:
            detail = "entries must all be names of item properties"
            yield cause.invalid(f"{path}.x-kubernetes-list-map-keys[{index}]", key, detail)
        elif key not in (items.get("required") or []) and "default" not in sub:
            detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield cause.required(f"{path}.items.properties[{key}].default", detail)


_CHECKS: tuple[Callable[[Mapping[str, Any], str], Iterator[Cause]], ...] = (_type, _forbidden, _pattern, _list_type)
