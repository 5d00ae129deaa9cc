"""What a schema of a CustomResourceDefinition may say at each node (`pkg/apis/apiextensions/validation`), rules apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.fieldpaths import resolve
from syncsource.localplane.admission.structural import JUNCTORS, unsupported

Raw = dict[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_META = ("metadata", "kind", "apiVersion")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is. `no_defaults` says why it may have none (empty: it may); `uncorrelated` is the path of the node above
    whose parts can't be matched with those of the old object (empty: there is none).
    """

    path: str
    is_root: bool = False
    in_meta: bool = False
    no_defaults: str = ""
    uncorrelated: str = ""

    def child(self, name: str, **changes: Any) -> Place:
        return replace(self, path=f"{self.path}.{name}", is_root=False, **changes)


def children(schema: Raw, place: Place) -> Iterator[tuple[str, Raw, Place]]:
    """The schemas right below, each with the way to it: properties, items, additionalProperties, or a junctor."""
    additional = schema.get("additionalProperties")
    if isinstance(additional, dict):
        changes = {"no_defaults": "inside additionalProperties applying to object metadata"} if place.in_meta else {}
        yield "additionalProperties", additional, place.child("additionalProperties", **changes)
    for name, sub in (schema.get("properties") or {}).items():
        yield "properties", sub, place.child(f"properties[{name}]", **_meta_changes(schema, place, name))
    if "not" in schema:
        yield "not", schema["not"], place.child("not")
    for name in (JUNCTORS[0], JUNCTORS[2], JUNCTORS[1]):
        for index, sub in enumerate(schema.get(name) or ()):
            yield name, sub, place.child(f"{name}[{index}]")
    if isinstance(schema.get("items"), dict):
        lost = place.uncorrelated or ("" if schema.get("x-kubernetes-list-type") == "map" else place.path)
        yield "items", schema["items"], place.child("items", uncorrelated=lost)


def _meta_changes(schema: Raw, place: Place, name: str) -> dict[str, Any]:
    if name not in _META or not (place.is_root or schema.get("x-kubernetes-embedded-resource")):
        return {}
    return {"in_meta": True, **({"no_defaults": f"in top-level {name}"} if place.is_root else {})}


def check(schema: Raw, place: Place) -> Iterator[Cause]:
    """What is wrong with the keywords of this node alone."""
    yield from _forbidden(schema, place)
    if schema.get("uniqueItems"):
        detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield cause.forbidden(f"{place.path}.uniqueItems", detail)
    additional = schema.get("additionalProperties")
    if additional is not None and schema.get("properties") and additional is not True:
        yield cause.forbidden(f"{place.path}.additionalProperties", "additionalProperties and properties are mutual exclusive")


def check_extensions(schema: Raw, place: Place) -> Iterator[Cause]:
    """What is wrong with the x-kubernetes- keywords of this node, once those of the nodes below have been checked."""
    path, kind = place.path, schema.get("type", "")
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield cause.invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    yield from _map_type(schema.get("x-kubernetes-map-type"), kind, path)
    yield from _list_type(schema, kind, path)
    yield from _map_keys(schema, path)
    yield from _identities(schema, path)
    for index, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        yield from _rule(rule, schema, f"{path}.x-kubernetes-validations[{index}]")


def _forbidden(schema: Raw, place: Place) -> Iterator[Cause]:
    path, kind = place.path, schema.get("type", "")
    if kind and kind not in TYPES:
        yield cause.not_supported(f"{path}.type", kind, TYPES)
    if "default" in schema and place.no_defaults:
        yield cause.forbidden(f"{path}.default", f"must not be set {place.no_defaults}")
    for name in ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"):
        value = schema.get(name)
        if value not in (None, "", {}) or (value is not None and name in {"dependencies", "$ref"}):
            yield cause.forbidden(f"{path}.{name}", f"{name} is not supported")
    if kind == "null":
        yield cause.forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list):
        yield cause.forbidden(f"{path}.items", "items must be a schema object and not an array")
    if place.in_meta and schema.get("x-kubernetes-embedded-resource"):
        yield cause.forbidden(f"{path}.x-kubernetes-embedded-resource", "must not be used inside of resource meta")


def _needs_type(kind: str, wanted: str, keyword: str, path: str) -> Iterator[Cause]:
    detail = f"must be {wanted} if {keyword} is specified"
    if kind != wanted:
        yield cause.invalid(f"{path}.type", kind, detail) if kind else cause.required(f"{path}.type", detail)


def _map_type(chosen: str | None, kind: str, path: str) -> Iterator[Cause]:
    if chosen is None:
        return
    yield from _needs_type(kind, "object", "x-kubernetes-map-type", path)
    if chosen not in {"atomic", "granular"}:
        yield cause.not_supported(f"{path}.x-kubernetes-map-type", chosen, ("atomic", "granular"))


def _list_type(schema: Raw, kind: str, path: str) -> Iterator[Cause]:
    chosen, items = schema.get("x-kubernetes-list-type"), schema.get("items")
    if chosen is None:
        return
    yield from _needs_type(kind, "array", "x-kubernetes-list-type", path)
    if kind == "array" and chosen == "set" and isinstance(items, dict):
        yield from _set_items(items, path)
    if chosen not in {"atomic", "set", "map"}:
        yield cause.not_supported(f"{path}.x-kubernetes-list-type", chosen, ("atomic", "set", "map"))


def _set_items(items: Raw, path: str) -> Iterator[Cause]:
    detail = "must be atomic as item of a list with x-kubernetes-list-type=set"
    chosen = items.get("x-kubernetes-list-type")
    if items.get("type") == "array" and chosen not in (None, "atomic"):
        yield cause.invalid(f"{path}.items.x-kubernetes-list-type", chosen, detail)
    if items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield cause.invalid(f"{path}.items.x-kubernetes-map-type", chosen, detail)


def _map_keys(schema: Raw, path: str) -> Iterator[Cause]:
    keys, chosen, items = schema.get("x-kubernetes-list-map-keys") or [], schema.get("x-kubernetes-list-type"), schema.get("items")
    if keys and chosen != "map":
        detail = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{path}.x-kubernetes-list-type"
        yield cause.required(where, detail) if chosen is None else cause.invalid(where, chosen, detail)
    if chosen != "map":
        return
    if not keys:
        yield cause.required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map")
    if items is None:
        yield cause.required(f"{path}.items", "must have a schema if x-kubernetes-list-type is map")
    elif isinstance(items, dict) and items.get("type") != "object":
        yield cause.invalid(f"{path}.items.type", items.get("type", ""), "must be object if parent array's x-kubernetes-list-type is map")
    elif isinstance(items, dict):
        yield from _key_names(keys, items, path)


def _key_names(keys: list[str], items: Raw, path: str) -> Iterator[Cause]:
    properties = items.get("properties") or {}
    for index, key in enumerate(keys):
        if key not in properties:
            yield cause.invalid(f"{path}.x-kubernetes-list-map-keys", keys, "entries must all be names of item properties")
        elif properties[key].get("type") in {"array", "object"}:
            detail = "must be a scalar type if parent array's x-kubernetes-list-type is map"
            yield cause.invalid(f"{path}.items.properties[{key}].type", items["type"], detail)
        if key in keys[:index]:
            yield cause.invalid(f"{path}.x-kubernetes-list-map-keys", keys, "must not contain duplicate entries")


def _identities(schema: Raw, path: str) -> Iterator[Cause]:
    chosen, items = schema.get("x-kubernetes-list-type"), schema.get("items")
    if chosen not in {"set", "map"} or not isinstance(items, dict):
        return
    if items.get("nullable"):
        yield cause.forbidden(f"{path}.items.nullable", f"cannot be nullable when x-kubernetes-list-type is {chosen}")
    for key in (schema.get("x-kubernetes-list-map-keys") or ()) if chosen == "map" else ():
        sub, where = (items.get("properties") or {}).get(key), f"{path}.items.properties[{key}]"
        if sub is None:
            continue
        if key not in (items.get("required") or ()) and "default" not in sub:
            detail = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            yield cause.required(f"{where}.default", detail)
        if sub.get("nullable"):
            yield cause.forbidden(f"{where}.nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable")


def _rule(rule: Raw, schema: Raw, path: str) -> Iterator[Cause]:
    yield from _rule_text(rule.get("rule") or "", rule.get("message") or "", path)
    expression, reason = rule.get("messageExpression") or "", rule.get("reason")
    if expression and not expression.strip():
        yield cause.required(f"{path}.messageExpression", "messageExpression must be non-empty if specified")
    if reason is not None and reason not in _REASONS:
        yield cause.not_supported(f"{path}.reason", reason, _REASONS)
    yield from _field_path(rule.get("fieldPath") or "", schema, f"{path}.fieldPath")


def _rule_text(rule: str, message: str, path: str) -> Iterator[Cause]:
    if not rule.strip():
        yield cause.required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield cause.invalid(f"{path}.message", message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield cause.invalid(f"{path}.message", message, "must not contain line breaks")
    elif _has_lines(rule.strip()) and not message.strip():
        yield cause.required(f"{path}.message", "message must be specified if rule contains line breaks")


def _field_path(given: str, schema: Raw, path: str) -> Iterator[Cause]:
    if not given:
        return
    if not given.strip():
        yield cause.invalid(path, given, "must be non-empty if specified")
    if _has_lines(given):
        yield cause.invalid(path, given, "must not contain line breaks")
    if unsupported(schema):
        return
    try:
        resolve(given, schema)
    except ValueError:
        yield cause.invalid(path, given, "must be a valid path")


def _has_lines(text: str) -> bool:
    return re.search(r"[\n\r]", text) is not None
