"""One CustomResourceDefinition, compiled: the decisions of an API server about its objects, without a server."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import BLOCKING, Cause, format_causes
from syncsource.localplane.admission.cel.rules import RuleTree, build_rules, evaluate
from syncsource.localplane.admission.defaulting import apply_defaults, drop_nulls
from syncsource.localplane.admission.embedded import validate_embedded
from syncsource.localplane.admission.jsonschema import WrongShape, check_shape, normalize
from syncsource.localplane.admission.objectmeta import validate_metadata
from syncsource.localplane.admission.pruning import prune
from syncsource.localplane.admission.schema import Schema
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
        """Prune, drop stray nulls and default in place; returns the paths of the unknown fields that went."""
        unknown = prune(obj, self.schema, is_resource=True)
        drop_nulls(obj, self.schema)
        apply_defaults(obj, self.schema)
        return unknown

    def validate(self, obj: dict[str, Any], old: dict[str, Any] | None = None) -> Iterator[Cause]:
        """Schema first; the rules only where it left values that rules can be run on."""
        causes = list(
            dict.fromkeys([*validate_embedded(obj, self.schema), *validate(obj, self.schema, old=old), *validate_lists(obj, self.schema)])
        )
        yield from causes
        if not any(found.reason in BLOCKING for found in causes):
            yield from evaluate(self.rules, obj, old)
        elif self.rules.is_any:
            yield UNCHECKED


class CustomResourceValidator:
    """Compile a CustomResourceDefinition once, then decide about its objects.

    Raises InvalidDefinition for one that an API server would refuse; ``checked``: it is known to take this one, which saves half a second for a
    large one. Not tied to a thread; keeps no state between calls.
    """

    def __init__(self, crd: Mapping[str, Any], *, checked: bool = False) -> None:
        self._kind = crd["spec"]["names"]["kind"]
        self._group = crd["spec"]["group"]
        causes = [] if checked else list(_unreadable(crd)) or list(check_versions(crd))
        if causes:
            raise InvalidDefinition(causes)
        self.versions = compile_versions(crd)

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


def _unreadable(crd: Mapping[str, Any]) -> Iterator[Cause]:
    path = "spec.versions.schema.openAPIV3Schema"
    for version in crd["spec"].get("versions") or []:
        try:
            check_shape((version.get("schema") or {}).get("openAPIV3Schema"), path)
        except WrongShape as wrong:
            yield cause.type_invalid(path, cause.OMITTED, str(wrong))


def compile_versions(crd: Mapping[str, Any]) -> dict[str, CompiledVersion]:
    """The versions of a definition that has been checked, by name."""
    return {version["name"]: compile_version(version["schema"]["openAPIV3Schema"]) for version in crd["spec"]["versions"]}


def compile_version(raw: Mapping[str, Any]) -> CompiledVersion:
    """One schema that has been checked, and its rules."""
    schema = Schema.parse(normalize(raw))
    return CompiledVersion(schema, build_rules(schema, is_resource=True))


def check_versions(crd: Mapping[str, Any], unchanged: frozenset[str] = frozenset()) -> Iterator[Cause]:
    """Why an API server would refuse the schemas; those of the `unchanged` versions have no limits of cost."""
    from syncsource.localplane.admission.definition_schema import check_schema  # it brings protobuf, which admitting objects does without

    versions = crd["spec"].get("versions") or []
    schemas: list[Any] = [(version.get("schema") or {}).get("openAPIV3Schema") for version in versions]
    if versions and all(schema is not None and schema == schemas[0] for schema in schemas):
        has_status = any(_has_status(version) for version in versions)
        yield from check_schema(
            schemas[0], "spec.validation.openAPIV3Schema", has_status=has_status, unlimited=versions[0].get("name") in unchanged
        )
        return
    for index, (version, schema) in enumerate(zip(versions, schemas, strict=True)):
        if schema is not None:
            path = f"spec.versions[{index}].schema.openAPIV3Schema"
            yield from check_schema(schema, path, has_status=_has_status(version), unlimited=version.get("name") in unchanged)


def _has_status(version: Mapping[str, Any]) -> bool:
    return (version.get("subresources") or {}).get("status") is not None
