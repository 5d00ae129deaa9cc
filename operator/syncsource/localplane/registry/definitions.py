"""CustomResourceDefinitions: what is wrong with one, the status that accepting it gives it, and the resources it adds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause
from syncsource.localplane.admission.jsonschema import WrongShape, check_shape, unknown_keywords
from syncsource.localplane.admission.objectmeta import dns_label, dns_subdomain
from syncsource.localplane.admission.validator import CompiledVersion, check_versions, compile_versions
from syncsource.localplane.registry.resource import Column, Resource, ScalePaths

_APPROVAL = "api-approved.kubernetes.io"
_VERBS = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
_AGE = Column("Age", "date", ".metadata.creationTimestamp")
_NAME = Column("Name", path=".metadata.name", format="name", description="Name must be unique within a namespace.")
_SIMPLE_PATH = re.compile(r"(\.[A-Za-z_][A-Za-z0-9_-]*)+")


def complete_names(spec: dict[str, Any]) -> None:
    """Fill in the names that follow from others."""
    names = spec.get("names")
    if isinstance(names, dict) and isinstance(names.get("kind"), str):
        names.setdefault("singular", names["kind"].lower())
        names.setdefault("listKind", f"{names['kind']}List")


def check(crd: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Iterator[Cause]:
    """Why the real server would refuse the definition; its shape has been checked before."""
    spec, names = crd["spec"], crd["spec"]["names"]
    expected = f"{names['plural']}.{spec['group']}"
    if crd["metadata"]["name"] != expected:
        yield cause.invalid("metadata.name", crd["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')
    yield from _check_group(crd)
    for name in ("plural", "singular"):
        yield from (cause.invalid(f"spec.names.{name}", names[name], text) for text in dns_label(names[name]))
    if old is not None:
        yield from _immutable(spec, old["spec"])
    yield from _check_versions(spec["versions"])
    yield from check_versions(crd, _unchanged(crd, old))


def _check_group(crd: Mapping[str, Any]) -> Iterator[Cause]:
    group = crd["spec"]["group"]
    yield from (cause.invalid("spec.group", group, text) for text in dns_subdomain(group))
    if "." not in group:
        yield cause.invalid("spec.group", group, "should be a domain with at least one dot")
    if group.endswith((".k8s.io", ".kubernetes.io")) and _APPROVAL not in (crd["metadata"].get("annotations") or {}):
        detail = f'protected groups must have approval annotation "{_APPROVAL}", see https://github.com/kubernetes/enhancements/pull/1111'
        yield cause.required(f"metadata.annotations[{_APPROVAL}]", detail)


def _immutable(spec: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[Cause]:
    for path, new_value, old_value in (
        ("spec.group", spec["group"], old["group"]),
        ("spec.names.plural", spec["names"]["plural"], old["names"]["plural"]),
        ("spec.names.kind", spec["names"]["kind"], old["names"]["kind"]),
        ("spec.scope", spec["scope"], old["scope"]),
    ):
        if new_value != old_value:
            yield cause.invalid(path, new_value, "field is immutable")


def _check_versions(versions: list[Mapping[str, Any]]) -> Iterator[Cause]:
    stored = [version["name"] for version in versions if version["storage"]]
    if len(stored) != 1:
        yield cause.invalid("spec.versions", cause.OMITTED, "must have exactly one version marked as storage version")
    for index, version in enumerate(versions):
        path = f"spec.versions[{index}]"
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield cause.required(f"{path}.schema.openAPIV3Schema", "schemas are required")
        for place, chosen in enumerate(version.get("selectableFields") or []):
            if not _SIMPLE_PATH.fullmatch(chosen["jsonPath"]):
                yield cause.invalid(f"{path}.selectableFields[{place}].jsonPath", chosen["jsonPath"], "is an invalid path")


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


def _unchanged(crd: Mapping[str, Any], old: Mapping[str, Any] | None) -> frozenset[str]:
    """The names of the versions whose schema is the old one."""
    if old is None:
        return frozenset()
    before = {version["name"]: version.get("schema") for version in old["spec"]["versions"]}
    return frozenset(version["name"] for version in crd["spec"]["versions"] if version.get("schema") == before.get(version["name"], {}))


def accepted_status(crd: Mapping[str, Any], now: str) -> dict[str, Any]:
    """The status of a definition that is served: here that is so as soon as it is stored."""
    status = dict(crd.get("status") or {})
    stored = next(version["name"] for version in crd["spec"]["versions"] if version["storage"])
    status["acceptedNames"] = dict(crd["spec"]["names"])
    status["storedVersions"] = list(dict.fromkeys([*(status.get("storedVersions") or []), stored]))
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
