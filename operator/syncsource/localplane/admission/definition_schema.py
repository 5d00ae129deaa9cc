"""Why an API server would refuse the schema of a version, in its words and its order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission import cause, keywords, structural
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.cel.budget import Budget, check_rules
from syncsource.localplane.admission.cel.ranges import MAX
from syncsource.localplane.admission.default_values import check_defaults
from syncsource.localplane.admission.jsonschema import normalize
from syncsource.localplane.admission.keywords import Place

Raw = dict[str, Any]
_ROOT_FIELDS = (
    "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
    "UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]"
)


def check_schema(raw: Raw, path: str, *, has_status: bool = False, unlimited: bool = False) -> Iterator[Cause]:
    """The causes of a schema that `jsonschema.check_shape` has accepted; `unlimited` spares its rules the limits of cost."""
    schema = normalize(raw)
    found = list(_root(schema, path, has_status=has_status))
    never = structural.unsupported(schema)
    wrong = [] if never else structural.check(schema, path) or list(check_defaults(schema, path))
    nodes = _Nodes(unlimited, with_rules=not never and not wrong)
    nodes.visit(schema, Place(path, is_root=True), 1)
    found += [*wrong, *nodes.schema_causes, *nodes.rule_causes]
    if never and not found:
        found.append(cause.invalid(path, "", never))
    yield from [*found, *nodes.budget.causes(path)]


def _root(schema: Raw, path: str, *, has_status: bool) -> Iterator[Cause]:
    if has_status:
        for name in schema:
            if name in _FORBIDDEN_AT_ROOT and (schema[name] not in ("", [], False) or name in {"default", "additionalProperties"}):
                detail = f"only {_ROOT_FIELDS} fields are allowed at the root of the schema if the status subresource is enabled"
                yield cause.invalid(path, cause.OMITTED, detail)
                break
    if has_status and schema.get("type") not in (None, "", "object"):
        detail = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
        yield cause.invalid(f"{path}.type", schema["type"], detail)
    if schema.get("nullable"):
        yield cause.forbidden(f"{path}.nullable", "nullable cannot be true at the root")


_FORBIDDEN_AT_ROOT = {
    "id", "$schema", "$ref", "nullable", "enum", "maxProperties", "minProperties", "allOf", "oneOf", "anyOf", "not", "default",
    "additionalProperties", "patternProperties", "dependencies", "additionalItems", "definitions", "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type",
}  # fmt: skip


@dataclass
class _Nodes:
    unlimited: bool
    with_rules: bool
    budget: Budget = field(default_factory=Budget)
    schema_causes: list[Cause] = field(default_factory=list)
    rule_causes: list[Cause] = field(default_factory=list)

    def visit(self, schema: Raw, place: Place, cardinality: int | None, *, with_rules: bool = True) -> None:
        """Rules are checked only where no schema at the node or below it is wrong."""
        before = len(self.schema_causes)
        self.schema_causes += keywords.check(schema, place)
        below = _times(cardinality, schema)
        for way, sub, where in keywords.children(schema, place):
            self.visit(sub, where, below, with_rules=with_rules and way in {"properties", "items", "additionalProperties"})
        self.schema_causes += keywords.check_extensions(schema, place)
        if schema.get("x-kubernetes-validations") and with_rules and self.with_rules and len(self.schema_causes) == before:
            self.rule_causes += check_rules(schema, place, cardinality, self.budget, unlimited=self.unlimited)


def _times(cardinality: int | None, schema: Raw) -> int | None:
    most: int | None = 1
    if schema.get("type") == "array":
        most = schema.get("maxItems")
    elif schema.get("type") == "object" and schema.get("additionalProperties") is not None:
        most = schema.get("maxProperties")
    return None if cardinality is None or most is None else min(cardinality * max(most, 0), MAX)
