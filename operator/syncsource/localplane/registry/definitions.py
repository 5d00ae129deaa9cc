"""CustomResourceDefinitions: how one is completed, the status that accepting it gives it, and the resources it adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission.jsonschema import WrongShape, check_shape, normalize, unknown_keywords
from syncsource.localplane.admission.validator import CompiledVersion, compile_versions
from syncsource.localplane.registry.definition_checks import stored_versions
from syncsource.localplane.registry.resource import Column, Resource, ScalePaths

_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_AGE = Column("Age", "date", ".metadata.creationTimestamp")
_NAME = Column("Name", path=".metadata.name", format="name", description="Name must be unique within a namespace.")


def complete(spec: dict[str, Any]) -> None:
    """Fill in what follows from the rest, names and what a version is not, and drop what no schema can say."""
    names = spec.setdefault("names", {})
    if names.get("kind"):
        names["singular"] = names.get("singular") or names["kind"].lower()
        names["listKind"] = names.get("listKind") or f"{names['kind']}List"
    for version in spec.get("versions") or []:
        version.setdefault("served", False)
        version.setdefault("storage", False)
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        if schema is not None:
            version["schema"]["openAPIV3Schema"] = normalize(schema)


def unknown_fields(crd: Mapping[str, Any]) -> Iterator[str]:
    """Keywords in the schemas that are none."""
    for index, version in enumerate(crd["spec"].get("versions") or []):
        schema = (version.get("schema") or {}).get("openAPIV3Schema")
        yield from unknown_keywords(schema, f"spec.versions[{index}].schema.openAPIV3Schema")


def decoding_error(crd: Mapping[str, Any]) -> str:
    """Why the definition's schemas can't be read at all, if so."""
    try:
        for version in crd["spec"].get("versions") or []:
            check_shape((version.get("schema") or {}).get("openAPIV3Schema"), "spec.versions.schema.openAPIV3Schema")
    except WrongShape as wrong:
        return str(wrong)
    return ""


def accepted_status(crd: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The status of a definition that is served: here that is so as soon as it is stored."""
    status = dict(crd.get("status") or {})
    status["acceptedNames"] = dict(crd["spec"]["names"])
    status["storedVersions"] = stored_versions(crd, crd)
    if not status.get("conditions"):
        status["conditions"] = [
            _condition("NamesAccepted", "NoConflicts", "no conflicts found", now),
            _condition("Established", "InitialNamesAccepted", "the initial names have been accepted", now),
        ]
    return status


def _condition(kind: str, reason: str, message: str, now: str) -> dict[str, str]:
    return {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now}


def resources(crd: Mapping[str, Any]) -> Iterator[Resource]:
    """The resources of an accepted definition, one for each served version."""
    compiled = compile_versions(crd)
    for version in crd["spec"]["versions"]:
        if version["served"]:
            yield _resource(crd["spec"], version, compiled[version["name"]])


def _resource(spec: Mapping[str, Any], version: Mapping[str, Any], rules: CompiledVersion) -> Resource:
    names = spec["names"]
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        raw_schema=version["schema"]["openAPIV3Schema"],
        rules=rules,
        list_kind=names["listKind"],
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=_VERBS,
        has_status="status" in (version.get("subresources") or {}),
        scale=_scale((version.get("subresources") or {}).get("scale")),
        has_generation=True,
        is_custom=True,
        is_storage=version["storage"],
        columns=(
            _NAME,
            *(map(_column, version.get("additionalPrinterColumns") or ()) if version.get("additionalPrinterColumns") else (_AGE,)),
        ),
        selectable=tuple(chosen["jsonPath"].removeprefix(".") for chosen in version.get("selectableFields") or ()),
    )


def _scale(raw: Mapping[str, Any] | None) -> ScalePaths | None:
    if not raw:
        return None
    names = ("specReplicasPath", "statusReplicasPath", "labelSelectorPath")
    return ScalePaths(*(tuple(filter(None, (raw.get(name) or "").split("."))) for name in names))


def _column(raw: Mapping[str, Any]) -> Column:
    return Column(
        name=raw["name"],
        type=raw["type"],
        path=raw["jsonPath"],
        priority=raw.get("priority") or 0,
        description=raw.get("description") or f"Custom resource definition column (in JSONPath format): {raw['jsonPath']}",
        format=raw.get("format") or "",
    )
