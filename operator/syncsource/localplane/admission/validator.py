"""One CustomResourceDefinition, compiled: the decisions of an API server about its objects, without a server."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission import cause, structural
from syncsource.localplane.admission.cause import BLOCKING, Cause, format_causes
from syncsource.localplane.admission.cel.rules import RuleCompiler, RuleTree, evaluate
from syncsource.localplane.admission.defaulting import apply_defaults
from syncsource.localplane.admission.objectmeta import validate_metadata
from syncsource.localplane.admission.pruning import prune
from syncsource.localplane.admission.schema import ABSENT, Schema
from syncsource.localplane.admission.validation import validate, validate_lists

UNCHECKED = cause.invalid(
    "",
    None,
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
)


class InvalidDefinition(ValueError):
    """The CustomResourceDefinition itself would be refused; `causes` say where and why."""

    def __init__(self, causes: list[Cause]) -> None:
        super().__init__(format_causes(causes))
        self.causes = causes


@dataclass(frozen=True, slots=True)
class Admitted:
    """An object as it would be stored, what is wrong with it (nothing: it is accepted), and the fields nobody knows."""

    object: dict[str, Any]
    causes: tuple[Cause, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CompiledVersion:
    """One version's schema and rules."""

    schema: Schema
    rules: RuleTree

    def decode(self, obj: dict[str, Any]) -> list[str]:
        """Prune and default in place; returns the paths of the unknown fields that went."""
        unknown = prune(obj, self.schema, is_resource=True)
        apply_defaults(obj, self.schema)
        return unknown

    def validate(self, obj: dict[str, Any], old: dict[str, Any] | None = None) -> Iterator[Cause]:
        """Schema first; the rules only where it left values that rules can be run on."""
        causes = list(dict.fromkeys([*validate(obj, self.schema, old=old), *validate_lists(obj, self.schema)]))
        yield from causes
        if any(found.reason in BLOCKING for found in causes):
            yield UNCHECKED
        else:
            yield from evaluate(self.rules, obj, old)


class CustomResourceValidator:
    """Compile a CustomResourceDefinition once, then decide about its objects.

    Raises InvalidDefinition for one that an API server would refuse. Not tied to a thread; keeps no state between calls.
    """

    def __init__(self, crd: Mapping[str, Any]) -> None:
        self._kind = crd["spec"]["names"]["kind"]
        self._group = crd["spec"]["group"]
        self.versions, causes = compile_versions(crd)
        if causes:
            raise InvalidDefinition(causes)

    def admit(self, obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Admitted:
        """Default, prune and validate a copy of `obj`, as an update where `old` (as it was stored) is given.

        Raises ValueError for an object of another kind or of a version that the definition does not have.
        """
        version = self._version(obj)
        decoded = copy.deepcopy(dict(obj))
        unknown = version.decode(decoded)
        causes = [*validate_metadata(decoded.get("metadata", {})), *version.validate(decoded, None if old is None else dict(old))]
        return Admitted(decoded, tuple(causes), tuple(unknown))

    def _version(self, obj: Mapping[str, Any]) -> CompiledVersion:
        group, _, version = str(obj.get("apiVersion", "")).rpartition("/")
        if obj.get("kind") != self._kind or group != self._group or version not in self.versions:
            raise ValueError(f'no matches for kind "{obj.get("kind")}" in version "{obj.get("apiVersion")}"')
        return self.versions[version]


def compile_versions(crd: Mapping[str, Any]) -> tuple[dict[str, CompiledVersion], list[Cause]]:
    """The versions of a definition by name, and why it would be refused (nothing: it is accepted)."""
    versions, causes = {}, []
    for name, path, raw in _schemas(crd["spec"].get("versions") or []):
        wrong = list(structural.check(raw, path))
        if not wrong:
            versions[name], wrong = _compile(raw, path)
        causes += wrong
    return versions, list(dict.fromkeys(causes))


def _schemas(versions: list[Mapping[str, Any]]) -> Iterator[tuple[str, str, Any]]:
    schemas = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    shared = all(schema == schemas[0] for schema in schemas)
    for index, (version, schema) in enumerate(zip(versions, schemas, strict=True)):
        path = "spec.validation.openAPIV3Schema" if shared else f"spec.versions[{index}].schema.openAPIV3Schema"
        yield version.get("name", ""), path, schema or {}


def _compile(raw: Mapping[str, Any], path: str) -> tuple[CompiledVersion, list[Cause]]:
    schema = Schema.parse(raw)
    compiler = RuleCompiler(schema, path)
    compiled = CompiledVersion(schema, compiler.compile())
    return compiled, [*compiler.causes, *_bad_defaults(schema, path)]


def _bad_defaults(schema: Schema, path: str) -> Iterator[Cause]:
    if schema.default is not ABSENT:
        yield from validate(schema.default, schema, f"{path}.default")
    for name, sub in schema.properties.items():
        yield from _bad_defaults(sub, f"{path}.properties[{name}]")
    for nested, name in ((schema.items, "items"), (schema.additional, "additionalProperties")):
        if nested is not None:
            yield from _bad_defaults(nested, f"{path}.{name}")
