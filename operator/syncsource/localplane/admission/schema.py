"""A structural schema, read once from a CustomResourceDefinition into slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission.fieldpaths import resolve
from syncsource.localplane.admission.patterns import compile_pattern

ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of `x-kubernetes-validations`."""

    rule: str
    message: str = ""
    message_expression: str = ""
    reason: str = "FieldValueInvalid"
    field_path: str = ""
    optional_old_self: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One node of a structural schema; `types` is empty where any type is allowed.

    `additional` is the schema of every value of a map, `closed` says whether unknown properties are pruned. A list that `is_merged`
    is merged by a strategic merge patch, by `merge_key` where its items are objects: built-in kinds only.
    """

    types: tuple[str, ...] = ()
    format: str = ""
    properties: Mapping[str, Schema] = field(default_factory=dict)
    additional: Schema | None = None
    additional_allowed: bool = False
    items: Schema | None = None
    required: tuple[str, ...] = ()
    default: Any = ABSENT
    nullable: bool = False
    preserve: bool = False
    embedded: bool = False
    int_or_string: bool = False
    enum: tuple[Any, ...] = ()
    pattern: Any = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None
    min_properties: int | None = None
    max_properties: int | None = None
    all_of: tuple[Schema, ...] = ()
    any_of: tuple[Schema, ...] = ()
    one_of: tuple[Schema, ...] = ()
    not_: Schema | None = None
    list_type: str = "atomic"
    list_map_keys: tuple[str, ...] = ()
    map_type: str = "granular"
    rules: tuple[Rule, ...] = ()
    is_merged: bool = False
    merge_key: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Schema:
        """Read a JSONSchemaProps that `structural.check` has accepted."""
        additional = raw.get("additionalProperties")
        return cls(
            types=_types(raw),
            format=raw.get("format") or "",
            properties={name: cls.parse(sub) for name, sub in (raw.get("properties") or {}).items()},
            additional=cls.parse(additional) if isinstance(additional, dict) else None,
            additional_allowed=bool(additional),
            items=cls.parse(raw["items"]) if isinstance(raw.get("items"), dict) else None,
            required=tuple(raw.get("required") or ()),
            default=raw.get("default", ABSENT),
            nullable=bool(raw.get("nullable")),
            preserve=bool(raw.get("x-kubernetes-preserve-unknown-fields")),
            embedded=bool(raw.get("x-kubernetes-embedded-resource")),
            int_or_string=bool(raw.get("x-kubernetes-int-or-string")),
            enum=tuple(raw.get("enum") or ()),
            pattern=compile_pattern(raw["pattern"]) if raw.get("pattern") else None,
            exclusive_minimum=bool(raw.get("exclusiveMinimum")),
            exclusive_maximum=bool(raw.get("exclusiveMaximum")),
            **_bounds(raw),
            all_of=tuple(map(cls.parse, raw.get("allOf") or ())),
            any_of=tuple(map(cls.parse, raw.get("anyOf") or ())),
            one_of=tuple(map(cls.parse, raw.get("oneOf") or ())),
            not_=cls.parse(raw["not"]) if raw.get("not") else None,
            list_type=raw.get("x-kubernetes-list-type") or "atomic",
            list_map_keys=tuple(raw.get("x-kubernetes-list-map-keys") or ()),
            map_type=raw.get("x-kubernetes-map-type") or "granular",
            rules=tuple(_rule(rule, raw) for rule in raw.get("x-kubernetes-validations") or ()),
        )

    def property(self, name: str) -> Schema | None:
        """The schema of a property, be it declared or an entry of a map; None for an unknown one."""
        return self.properties.get(name) or self.additional


_BOUNDS: dict[str, Any] = {
    "minimum": "minimum",
    "maximum": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
}


def _bounds(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {slot: raw.get(name) for slot, name in _BOUNDS.items()}


def _types(raw: Mapping[str, Any]) -> tuple[str, ...]:
    if raw.get("x-kubernetes-int-or-string"):
        return ("integer", "string")
    return (raw["type"],) if raw.get("type") else ()


def _field_path(given: str, schema: Mapping[str, Any]) -> str:
    try:
        return resolve(given, dict(schema))[0]
    except ValueError:
        return ""  # only a definition that is about to be refused has any


def _rule(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> Rule:
    return Rule(
        rule=raw.get("rule") or "",
        message=(raw.get("message") or "").strip(),
        message_expression=raw.get("messageExpression") or "",
        reason=raw.get("reason") or "FieldValueInvalid",
        field_path=_field_path(raw.get("fieldPath") or "", schema),
        optional_old_self=bool(raw.get("optionalOldSelf")),
    )
