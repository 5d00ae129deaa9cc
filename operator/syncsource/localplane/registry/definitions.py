"""CustomResourceDefinitions: how one is completed, what its deletion tells it, and the resources it adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission.jsonschema import WrongShape, check_shape, normalize, unknown_keywords
from syncsource.localplane.admission.validator import compile_versions
from syncsource.localplane.registry.definition_checks import is_established
from syncsource.localplane.registry.naming import set_condition
from syncsource.localplane.registry.registry import version_priority
from syncsource.localplane.registry.resource import Column, Resource, ScalePaths, StoredForm

FINALIZER = "customresourcecleanup.apiextensions.k8s.io"
_PENDING = ("InstanceDeletionPending", "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon")
_IN_PROGRESS = ("InstanceDeletionInProgress", "CustomResource deletion is in progress")
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


def is_terminating(crd: Mapping[str, Any]) -> bool:
    return "deletionTimestamp" in (crd.get("metadata") or {})


def begin_deletion(crd: dict[str, Any], now: str) -> None:
    """What a definition is told when it is to go: its objects go first."""
    finalizers = crd["metadata"].get("finalizers") or []
    if FINALIZER not in finalizers:
        crd["metadata"]["finalizers"] = [*finalizers, FINALIZER]
    set_terminating(crd, *_PENDING, now)


def deletion_is_under_way(crd: dict[str, Any], now: str) -> None:
    set_terminating(crd, *_IN_PROGRESS, now)


def set_terminating(crd: dict[str, Any], reason: str, message: str, now: str) -> None:
    conditions = list((crd.get("status") or {}).get("conditions") or [])
    set_condition(conditions, "Terminating", "True", reason, message, now)
    crd["status"] = {**(crd.get("status") or {}), "conditions": conditions}


def resources(crd: Mapping[str, Any], since: int) -> Iterator[Resource]:
    """The resources of a definition as it is `since` a version of the store, as soon as its first names have been accepted.

    There is one for each version that is served, and one for the version that is stored.
    """
    if not is_established(crd):
        return
    group, versions = crd["spec"]["group"], crd["spec"]["versions"]
    rules = {f"{group}/{name}": compiled for name, compiled in compile_versions(crd).items()}
    form = StoredForm(next(f"{group}/{version['name']}" for version in versions if version["storage"]), rules, since)
    for version in versions:
        if version["served"] or version["storage"]:
            yield _resource(crd, version, form)


def _resource(crd: Mapping[str, Any], version: Mapping[str, Any], form: StoredForm) -> Resource:
    spec, names = crd["spec"], crd["status"]["acceptedNames"]
    return Resource(
        group=spec["group"],
        version=version["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names["singular"],
        namespaced=spec["scope"] == "Namespaced",
        raw_schema=version["schema"]["openAPIV3Schema"],
        rules=form.rules[f"{spec['group']}/{version['name']}"],
        list_kind=names["listKind"],
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=_VERBS,
        has_status="status" in (version.get("subresources") or {}),
        scale=_scale((version.get("subresources") or {}).get("scale")),
        has_generation=True,
        is_custom=True,
        is_terminating=is_terminating(crd),
        deprecation=_deprecation(spec, version),
        is_storage=version["storage"],
        is_served=version["served"],
        stored_form=form,
        columns=(
            _NAME,
            *(map(_column, version.get("additionalPrinterColumns") or ()) if version.get("additionalPrinterColumns") else (_AGE,)),
        ),
        selectable=tuple(chosen["jsonPath"].removeprefix(".") for chosen in version.get("selectableFields") or ()),
    )


def _deprecation(spec: Mapping[str, Any], version: Mapping[str, Any]) -> str:
    """What every client of the version is warned of, "" for one that is not deprecated."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    place, kind = version_priority(version["name"]), spec["names"]["kind"]
    current = [each["name"] for each in spec["versions"] if each["served"] and not each.get("deprecated")]
    better = sorted((name for name in current if version_priority(name) > place), key=version_priority)
    advice = f"; use {spec['group']}/{better[-1]} {kind}" if better else ""
    return f"{spec['group']}/{version['name']} {kind} is deprecated{advice}"


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
