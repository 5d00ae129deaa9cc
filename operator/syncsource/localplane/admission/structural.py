"""Which schemas are structural (KEP-1693): every node has a type, and junctors only constrain values.

All functions take a schema that `jsonschema.normalize` has made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.patterns import compile_pattern

Raw = dict[str, Any]
JUNCTORS = ("allOf", "anyOf", "oneOf")
_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_UNSUPPORTED = {
    "id": "id", "$schema": "schema", "$ref": "$ref", "patternProperties": "patternProperties", "dependencies": "dependencies",
    "additionalItems": "additionalItems", "definitions": "definitions",
}  # fmt: skip
_NESTED_WORDS = {
    "type": "empty", "default": "undefined", "title": "empty", "description": "empty", "nullable": "false",
    "x-kubernetes-preserve-unknown-fields": "false", "x-kubernetes-embedded-resource": "false", "x-kubernetes-int-or-string": "false",
    "x-kubernetes-list-map-keys": "empty", "x-kubernetes-list-type": "undefined", "x-kubernetes-map-type": "undefined",
    "x-kubernetes-validations": "empty",
}  # fmt: skip
_MISSING_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}


def unsupported(schema: Any) -> str:
    """The keyword, if any, that no structural schema can have at any depth, as the server's error about it."""
    if not isinstance(schema, dict):
        return ""
    for name, shown in _UNSUPPORTED.items():
        value = schema.get(name)
        if value or (name == "additionalItems" and value is not None):
            return f"OpenAPIV3Schema '{shown}' is not supported"
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
    if isinstance(schema.get("items"), list):
        return "OpenAPIV3Schema 'items' must be a schema, but is an array"
    return next(filter(None, map(unsupported, _below(schema))), "")


def _below(schema: Raw) -> Iterator[Any]:
    for name in ("not", "items", "additionalProperties"):
        yield schema.get(name)
    for name in JUNCTORS:
        yield from schema.get(name) or ()
    yield from (schema.get("properties") or {}).values()


def check(schema: Raw, path: str) -> list[Cause]:
    """What keeps `schema` from being structural, sorted by the text."""
    return sorted([*_invariants(schema, "root", path), *_completeness(schema, schema, path, path)], key=str)


def _invariants(schema: Raw, level: str, path: str) -> Iterator[Cause]:
    kind, items, additional = schema.get("type", ""), schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and items is None:
        yield cause.required(f"{path}.items", "must be specified")
    if items is not None:
        yield from _invariants(items, "item", f"{path}.items")
    for name, sub in (schema.get("properties") or {}).items():
        yield from _invariants(sub, "field", f"{path}.properties[{name}]")
    if additional is not None and level == "root":
        yield cause.forbidden(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(additional, dict):
        yield from _invariants(additional, "field", f"{path}.additionalProperties")
    yield from _int_or_string(schema, path)
    yield from _values(schema, path, any_of=schema.get("anyOf") != _INT_OR_STRING, first_all_of=not _is_all_of(schema))
    yield from _type(schema, level, path)
    yield from _meta(schema, level, path)
    if schema.get("x-kubernetes-embedded-resource"):
        yield from _embedded(schema, path)


def _is_all_of(schema: Raw) -> bool:
    return bool(schema.get("allOf")) and schema["allOf"][0].get("anyOf") == _INT_OR_STRING


def _int_or_string(schema: Raw, path: str) -> Iterator[Cause]:
    if not schema.get("x-kubernetes-int-or-string"):
        return
    for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if schema.get(name):
            yield cause.invalid(f"{path}.{name}", True, "must be false if x-kubernetes-int-or-string is true")


def _type(schema: Raw, level: str, path: str) -> Iterator[Cause]:
    kind = schema.get("type", "")
    if schema.get("x-kubernetes-embedded-resource") and kind != "object":
        detail = "must be object if x-kubernetes-embedded-resource is true"
        yield cause.invalid(f"{path}.type", kind, detail) if kind else cause.required(f"{path}.type", detail)
    elif not kind and not schema.get("x-kubernetes-int-or-string") and not schema.get("x-kubernetes-preserve-unknown-fields"):
        yield cause.required(f"{path}.type", _MISSING_TYPE[level])
    if level == "root" and kind and kind != "object":
        yield cause.invalid(f"{path}.type", kind, "must be object at the root")


def _embedded(schema: Raw, path: str) -> Iterator[Cause]:
    if schema.get("additionalProperties") is not None:
        yield cause.forbidden(f"{path}.additionalProperties", "must not be used if x-kubernetes-embedded-resource is set")
    if not schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties"):
        detail = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        yield cause.required(f"{path}.properties", detail)


def _meta(schema: Raw, level: str, path: str) -> Iterator[Cause]:
    """Schemas of the meta fields of a resource may say hardly anything."""
    properties = schema.get("properties") or {}
    is_resource = level == "root" or bool(schema.get("x-kubernetes-embedded-resource"))
    for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
        sub = properties.get(name)
        if sub is not None and is_resource and sub.get("type", "") != wanted:
            yield cause.invalid(f"{path}.properties[{name}].type", sub.get("type", ""), f"must be {wanted}")
    if level == "root" and "metadata" in properties and _says_more(properties["metadata"]):
        detail = "must not specify anything other than name and generateName, but metadata is implicitly specified"
        yield cause.forbidden(f"{path}.properties[metadata]", detail)


def _says_more(metadata: Raw) -> bool:
    rest = {name: value for name, value in metadata.items() if name not in {"type", "default"} and value not in ("", [], {}, False)}
    if set(rest.get("properties") or {}) <= {"name", "generateName"}:
        rest.pop("properties", None)
    return bool(rest)


def _values(schema: Raw, path: str, *, any_of: bool = True, first_all_of: bool = True) -> Iterator[Cause]:
    for index, sub in enumerate((schema.get("anyOf") or ()) if any_of else ()):
        yield from _nested(sub, f"{path}.anyOf[{index}]")
    for index, sub in enumerate(schema.get("allOf") or ()):
        yield from _nested(sub, f"{path}.allOf[{index}]", any_of=first_all_of or index > 0)
    for index, sub in enumerate(schema.get("oneOf") or ()):
        yield from _nested(sub, f"{path}.oneOf[{index}]")
    if "not" in schema:
        yield from _nested(schema["not"], f"{path}.not")
    if schema.get("pattern"):
        try:
            compile_pattern(schema["pattern"])
        except ValueError as wrong:
            yield cause.invalid(f"{path}.pattern", schema["pattern"], f"must be a valid regular expression, but isn't: {wrong}")


def _nested(schema: Raw, path: str, *, any_of: bool = True) -> Iterator[Cause]:
    """A schema inside a junctor: values only."""
    yield from _values(schema, path, any_of=any_of)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], f"{path}.items")
    for name, sub in (schema.get("properties") or {}).items():
        yield from _nested(sub, f"{path}.properties[{name}]")
    if schema.get("additionalProperties"):
        yield cause.forbidden(f"{path}.additionalProperties", "must be undefined to be structural")
    for name, word in _NESTED_WORDS.items():
        if schema.get(name) or (word == "undefined" and name in schema):
            yield cause.forbidden(f"{path}.{name}", f"must be {word} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        yield cause.forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _completeness(values: Raw, spine: Raw | None, spine_path: str, path: str) -> Iterator[Cause]:
    """What a junctor names must be declared outside of junctors too."""
    for name in JUNCTORS:
        for index, sub in enumerate(values.get(name) or ()):
            yield from _nested_completeness(sub, spine, spine_path, f"{path}.{name}[{index}]")
    if "not" in values:
        yield from _nested_completeness(values["not"], spine, spine_path, f"{path}.not")


def _nested_completeness(values: Raw, spine: Raw | None, spine_path: str, path: str) -> Iterator[Cause]:
    if spine is None:
        yield cause.required(spine_path, f"because it is defined in {path}")
        return
    yield from _completeness(values, spine, spine_path, path)
    if isinstance(values.get("items"), dict):
        yield from _nested_completeness(values["items"], spine.get("items"), f"{spine_path}.items", f"{path}.items")
    for name, sub in (values.get("properties") or {}).items():
        declared = (spine.get("properties") or {}).get(name)
        yield from _nested_completeness(sub, declared, f"{spine_path}.properties[{name}]", f"{path}.properties[{name}]")
