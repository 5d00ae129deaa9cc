"""A CustomResourceDefinition as it was sent: is its JSON of the right shape, which fields of its schemas are no keywords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_SCHEMA = "v1.JSONSchemaProps"
_TYPES: dict[str, dict[str, str]] = {
    _SCHEMA: {
        **dict.fromkeys(("id", "$schema", "$ref", "description", "type", "format", "title", "pattern"), "string"),
        **dict.fromkeys(("x-kubernetes-list-type", "x-kubernetes-map-type"), "string"),
        **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable", "x-kubernetes-embedded-resource"), "bool"),
        **dict.fromkeys(("x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"), "bool"),
        **dict.fromkeys(("maximum", "minimum", "multipleOf"), "float64"),
        **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), "int64"),
        **dict.fromkeys(("required", "x-kubernetes-list-map-keys"), "[]string"),
        **dict.fromkeys(("allOf", "oneOf", "anyOf"), f"[]{_SCHEMA}"),
        **dict.fromkeys(("default", "example"), "any"),
        "enum": "[]v1.JSON",
        "not": _SCHEMA,
        "items": "items",
        "additionalProperties": "additional",
        "additionalItems": "additional",
        "dependencies": "map[string]any",
        "externalDocs": "v1.ExternalDocumentation",
        **dict.fromkeys(("properties", "patternProperties"), f"map[string]{_SCHEMA}"),
        "definitions": f"v1.JSONSchemaDefinitions={_SCHEMA}",
        "x-kubernetes-validations": "v1.ValidationRules=v1.ValidationRule",
    },
    "v1.ValidationRule": {
        **dict.fromkeys(("rule", "message", "messageExpression", "reason", "fieldPath"), "string"),
        "optionalOldSelf": "bool",
    },
    "v1.ExternalDocumentation": {"description": "string", "url": "string"},
}
_GO_REASON = "v1.FieldValueErrorReason"


class WrongShape(ValueError):
    """The JSON can't be read as the type that it should be; the text is that of the server."""


def check_shape(schema: Any, path: str) -> None:
    """Raises WrongShape for the first value of a schema that is of the wrong type; `path` names Go's fields up to here."""
    _struct(schema, _SCHEMA, "CustomResourceValidation", path)


def _struct(value: Any, kind: str, holder: str, path: str) -> None:
    if value is None:
        return
    if not isinstance(value, dict):
        raise _wrong(value, holder, path, kind)
    holder = kind.removeprefix("v1.")
    for name, wanted in _TYPES[kind].items():
        if value.get(name) is not None:
            _value(value[name], wanted, holder, f"{path}.{name}")


def _value(value: Any, wanted: str, holder: str, path: str) -> None:
    match wanted:
        case "any":
            return
        case "items":
            _items(value, path)
        case "additional":
            _additional(value, path)
        case _ if wanted.startswith("map[string]"):
            _each(value, dict, wanted.removeprefix("map[string]"), wanted, holder, path)
        case _ if wanted.startswith("[]"):
            _each(value, list, wanted.removeprefix("[]"), wanted, holder, path)
        case _ if "=" in wanted:
            named, _, element = wanted.partition("=")
            _each(value, dict if named.endswith("Definitions") else list, element, named, holder, path)
        case _ if wanted in _TYPES:
            _struct(value, wanted, holder, path)
        case _:
            _scalar(value, wanted, holder, path)


def _each(value: Any, container: type[dict[str, Any]] | type[list[Any]], element: str, named: str, holder: str, path: str) -> None:
    if not isinstance(value, container):
        raise _wrong(value, holder, path, named)
    if element == "v1.JSON":
        return
    for item in value.values() if isinstance(value, dict) else value:
        if item is not None:
            _value(item, element, holder, path)


def _items(value: Any, path: str) -> None:
    for schema in value if isinstance(value, list) else [value]:
        if isinstance(schema, dict):
            _struct(schema, _SCHEMA, "JSONSchemaProps", path)


def _additional(value: Any, path: str) -> None:
    if isinstance(value, bool):
        return
    if not isinstance(value, dict):
        raise WrongShape("boolean or JSON schema expected")
    _struct(value, _SCHEMA, "JSONSchemaProps", path)


def _scalar(value: Any, wanted: str, holder: str, path: str) -> None:
    right = {
        "string": isinstance(value, str),
        "bool": isinstance(value, bool),
        "float64": isinstance(value, int | float) and not isinstance(value, bool),
        "int64": isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63,
    }
    if not right[wanted]:
        raise _wrong(value, holder, path, wanted, shown=wanted == "int64")


def _wrong(value: Any, holder: str, path: str, wanted: str, *, shown: bool = False) -> WrongShape:
    if holder == "ValidationRule" and path.endswith(".reason"):
        wanted = _GO_REASON
    said = f"{_json_kind(value)} {value}" if shown and _json_kind(value) == "number" else _json_kind(value)
    return WrongShape(f"json: cannot unmarshal {said} into Go struct field {holder}.{path} of type {wanted}")


def _json_kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = ((bool, "bool"), (str, "string"), (dict, "object"), (list, "array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "number")


def unknown_keywords(schema: Any, path: str) -> Iterator[str]:
    """Paths of what is no keyword, such as `const` or `examples`; those below items and additionalProperties stay unnoticed."""
    if isinstance(schema, dict):
        yield from _unknown(schema, _SCHEMA, path)


def _unknown(value: Any, kind: str, path: str) -> Iterator[str]:
    for name, sub in (value or {}).items():
        wanted = _TYPES[kind].get(name)
        if wanted is None:
            yield f"{path}.{name}"
            continue
        element = wanted.rpartition("=")[2].removeprefix("map[string]").removeprefix("[]")
        if element not in _TYPES:
            continue
        if isinstance(sub, list):
            for index, item in enumerate(sub):
                yield from _unknown(item, element, f"{path}.{name}[{index}]")
        elif wanted == element:
            yield from _unknown(sub, element, f"{path}.{name}")
        elif isinstance(sub, dict):
            for key, item in sub.items():
                yield from _unknown(item, element, f"{path}.{name}.{key}")


def normalize(schema: Any) -> dict[str, Any]:
    """A schema of the right shape without what the server drops when it reads one: nulls, and items that are no schema."""
    kept = {name: value for name, value in schema.items() if value is not None and name in _TYPES[_SCHEMA]}
    for name in ("properties", "patternProperties", "definitions"):
        if name in kept:
            kept[name] = {key: normalize(sub or {}) for key, sub in kept[name].items()}
    for name in ("allOf", "anyOf", "oneOf"):
        if name in kept:
            kept[name] = [normalize(sub or {}) for sub in kept[name]]
    for name, empty in (("required", ""), ("x-kubernetes-list-map-keys", ""), ("x-kubernetes-validations", {})):
        if name in kept:
            kept[name] = [empty if item is None else item for item in kept[name]]
    for name in ("not", "items", "additionalProperties"):
        if isinstance(kept.get(name), dict):
            kept[name] = normalize(kept[name])
    if not isinstance(kept.get("items", {}), dict) and not (isinstance(kept["items"], list) and kept["items"]):
        del kept["items"]
    return kept
