"""What is wrong with a CustomResourceDefinition, in the words and the order of Kubernetes 1.36.

The server keeps what all versions have in common (schema, subresources, columns, selectable fields) at the spec, and its paths tell so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import OMITTED, Cause
from syncsource.localplane.admission.definition_schema import check_schema
from syncsource.localplane.admission.fieldpaths import resolve
from syncsource.localplane.admission.jsonschema import normalize
from syncsource.localplane.admission.objectmeta import dns_1035_label, dns_subdomain
from syncsource.localplane.registry.approval import check_approval
from syncsource.localplane.registry.name_checks import check_names, check_required

Raw = Mapping[str, Any]
_MAX_SELECTABLE = 8
_COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
_COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")


def check(crd: Raw, old: Raw | None = None) -> Iterator[Cause]:
    """Why the real server would refuse the definition (as an update of `old`); its values are of the right types."""
    spec = crd["spec"]
    names, group = spec.get("names") or {}, spec.get("group") or ""
    name = crd["metadata"].get("name") or ""
    if old is None and name and name != f"{names.get('plural') or ''}.{group}":
        yield cause.invalid("metadata.name", name, 'must be spec.names.plural+"."+spec.group')
    yield from _group(group)
    yield from _one_of("spec.scope", spec.get("scope") or "", ("Cluster", "Namespaced"))
    yield from _versions(spec, _unchanged(crd, old))
    yield from check_required(names)
    yield from check_names(names)
    yield from _common(spec, _unchanged(crd, old))
    yield from _conversion(spec.get("conversion"))
    if old is not None:
        yield from _immutable(spec, old)
    yield from _stored(crd, old)
    yield from check_approval(crd, old)
    if spec.get("preserveUnknownFields"):
        detail = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield cause.invalid("spec.preserveUnknownFields", True, detail)


def _group(group: str) -> Iterator[Cause]:
    wrong = ",".join(dns_subdomain(group))
    if not group:
        yield cause.required("spec.group")
    elif wrong:
        yield cause.invalid("spec.group", group, wrong)
    elif "." not in group:
        yield cause.invalid("spec.group", group, "should be a domain with at least one dot")


def _one_of(path: str, value: str, allowed: tuple[str, ...]) -> Iterator[Cause]:
    if not value:
        yield cause.required(path)
    elif value not in allowed:
        yield cause.not_supported(path, value, allowed)


# -- versions


def _schema(version: Raw) -> Any:
    return (version.get("schema") or {}).get("openAPIV3Schema")


def _shared(versions: list[Raw], part: str) -> Any:
    """What all versions have in this part; None where it differs or is absent."""
    found = [_schema(version) if part == "schema" else version.get(part) for version in versions]
    return found[0] if found and found[0] not in (None, []) and all(each == found[0] for each in found) else None


def _has_status(version: Raw) -> bool:
    return (version.get("subresources") or {}).get("status") is not None


def _unchanged(crd: Raw, old: Raw | None) -> frozenset[str]:
    """The names of the versions whose schema is the old one."""
    before = {version["name"]: _schema(version) for version in old["spec"]["versions"]} if old else {}
    versions = crd["spec"].get("versions") or []
    return frozenset(
        version["name"] for version in versions if version.get("name") in before and _schema(version) == before[version["name"]]
    )


def _versions(spec: Raw, unchanged: frozenset[str]) -> Iterator[Cause]:
    versions = spec.get("versions") or []
    for index, version in enumerate(versions):
        if _schema(version) is None:
            yield cause.required(f"spec.versions[{index}].schema.openAPIV3Schema")
    for index, version in enumerate(versions):
        yield from _version(versions, version, f"spec.versions[{index}]", unchanged)
    if len({version.get("name") for version in versions}) < len(versions):
        yield cause.invalid("spec.versions", OMITTED, "must contain unique version names")
    if sum(bool(version.get("storage")) for version in versions) != 1:
        yield cause.invalid("spec.versions", OMITTED, "must have exactly one version marked as storage version")
    first = versions[0].get("name") if versions else ""
    if first and (wrong := ",".join(dns_1035_label(first))):
        yield cause.invalid("spec.version", first, wrong)


def _version(versions: list[Raw], version: Raw, path: str, unchanged: frozenset[str]) -> Iterator[Cause]:
    name = version.get("name") or ""
    if wrong := ",".join(dns_1035_label(name)):
        yield cause.invalid(f"{path}.name", name, wrong)
    yield from _deprecation(version, f"{path}.deprecationWarning")
    schema, is_common = _schema(version), _shared(versions, "schema") is not None
    if schema is not None and not is_common:
        where = f"{path}.schema.openAPIV3Schema"
        yield from check_schema(schema, where, has_status=_has_status(version), unlimited=name in unchanged)
    if _shared(versions, "subresources") is None:
        yield from _subresources(version.get("subresources") or {}, f"{path}.subresources")
    if _shared(versions, "additionalPrinterColumns") is None:
        yield from _columns(version, f"{path}.additionalPrinterColumns")
    if not is_common or _shared(versions, "selectableFields") is None:
        yield from _selectable(version, schema, f"{path}.selectableFields")


def _common(spec: Raw, unchanged: frozenset[str]) -> Iterator[Cause]:
    versions = spec.get("versions") or []
    schema = _shared(versions, "schema")
    if schema is not None:
        has_status = any(map(_has_status, versions))
        yield from check_schema(
            schema, "spec.validation.openAPIV3Schema", has_status=has_status, unlimited=versions[0].get("name") in unchanged
        )
    yield from _subresources(_shared(versions, "subresources") or {}, "spec.subresources")
    if _shared(versions, "additionalPrinterColumns") is not None:
        yield from _columns(versions[0], "spec.additionalPrinterColumns")
    if schema is not None and _shared(versions, "selectableFields") is not None:
        yield from _selectable(versions[0], schema, "spec.selectableFields")


def _deprecation(version: Raw, path: str) -> Iterator[Cause]:
    warning = version.get("deprecationWarning")
    if warning is None:
        return
    wrong = [
        *(["can only be set for deprecated versions"] if not version.get("deprecated") else _warning(warning)),
    ]
    yield from (cause.invalid(path, warning, text) for text in wrong)


def _warning(text: str) -> Iterator[str]:
    if len(text.encode()) > 256:
        yield "must be <= 256 characters long"
    if not text:
        yield "must not be an empty string"
    for index, letter in enumerate(text):
        if not letter.isprintable():
            place = len(text[:index].encode())
            yield f"must only contain printable UTF-8 characters; non-printable character found at index {place}"
            return


def _simple_path(path: str, value: str, below: tuple[str, ...], words: str) -> Iterator[Cause]:
    if not value.startswith("."):
        yield cause.invalid(path, value, "must be a simple json path starting with .")
    elif below and not value.startswith(below):
        yield cause.invalid(path, value, f"should be a json path under {words}")


def _subresources(subresources: Raw, path: str) -> Iterator[Cause]:
    scale = subresources.get("scale")
    if scale is None:
        return
    for name, below, words in (
        ("specReplicasPath", (".spec.",), ".spec"),
        ("statusReplicasPath", (".status.",), ".status"),
        ("labelSelectorPath", (".spec.", ".status."), "either .spec or .status"),
    ):
        value = scale.get(name) or ""
        if value:
            yield from _simple_path(f"{path}.scale.{name}", value, below, words)
        elif name != "labelSelectorPath":
            yield cause.required(f"{path}.scale.{name}")


def _columns(version: Raw, path: str) -> Iterator[Cause]:
    for index, column in enumerate(version.get("additionalPrinterColumns") or []):
        where, types = f"{path}[{index}]", f"must be one of {','.join(_COLUMN_TYPES)}"
        if not column.get("name"):
            yield cause.required(f"{where}.name")
        if not column.get("type"):
            yield cause.required(f"{where}.type", types)
        elif column["type"] not in _COLUMN_TYPES:
            yield cause.invalid(f"{where}.type", column["type"], types)
        if column.get("format") and column["format"] not in _COLUMN_FORMATS:
            yield cause.invalid(f"{where}.format", column["format"], f"must be one of {','.join(_COLUMN_FORMATS)}")
        if not column.get("jsonPath"):
            yield cause.required(f"{where}.JSONPath")
        else:
            yield from _simple_path(f"{where}.JSONPath", column["jsonPath"], (), "")


def _selectable(version: Raw, schema: Any, path: str) -> Iterator[Cause]:
    fields = version.get("selectableFields") or []
    seen: set[str] = set()
    for index, field in enumerate(fields if schema is not None else []):
        where, given = f"{path}[{index}].jsonPath", field.get("jsonPath") or ""
        if not given:
            yield cause.required(where)
            continue
        try:
            found, chosen = resolve(given, normalize(schema), brackets=False)
        except ValueError as wrong:
            yield cause.invalid(where, given, f"is an invalid path: {wrong}")
            continue
        yield from _selected(where, given, found, chosen)
        if found in seen:
            yield cause.duplicate(where, given)
        seen.add(found)
    if len(seen) > _MAX_SELECTABLE:
        yield cause.too_many(path, len(seen), _MAX_SELECTABLE)


def _selected(path: str, given: str, found: str, schema: Raw) -> Iterator[Cause]:
    if found.split(".")[0] == "metadata":
        yield cause.invalid(path, given, "must not point to fields in metadata")
    if schema.get("type") not in {"string", "boolean", "integer"}:
        detail = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed."
        yield cause.invalid(path, given, detail)


# -- the rest


def _conversion(conversion: Raw | None) -> Iterator[Cause]:
    if conversion is None:
        return
    strategy, webhook = conversion.get("strategy") or "", conversion.get("webhook") or {}
    yield from _one_of("spec.conversion.strategy", strategy, ("None", "Webhook"))
    if strategy == "Webhook":
        yield from _webhook(webhook)
        return
    detail = "should not be set when strategy is not set to Webhook"
    if webhook.get("clientConfig") is not None:
        yield cause.forbidden("spec.conversion.webhookClientConfig", detail)
    if webhook.get("conversionReviewVersions"):
        yield cause.forbidden("spec.conversion.conversionReviewVersions", detail)


def _webhook(webhook: Raw) -> Iterator[Cause]:
    versions = webhook.get("conversionReviewVersions") or []
    if webhook.get("clientConfig") is None:
        yield cause.required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook")
    if not versions:
        yield cause.required("spec.conversion.conversionReviewVersions")
    elif not {"v1", "v1beta1"} & set(versions):
        yield cause.invalid("spec.conversion.conversionReviewVersions", versions, "must include at least one of v1, v1beta1")
    detail = "this server converts nothing by webhook: use None, with versions that differ in apiVersion only"
    yield cause.invalid("spec.conversion.strategy", "Webhook", detail)


def is_established(crd: Raw) -> bool:
    conditions = (crd.get("status") or {}).get("conditions") or []
    return any(condition.get("type") == "Established" and condition.get("status") == "True" for condition in conditions)


def _immutable(spec: Raw, old: Raw) -> Iterator[Cause]:
    before, names, old_names = old["spec"], spec.get("names") or {}, old["spec"]["names"]
    fixed = [("spec.scope", spec.get("scope"), before["scope"]), ("spec.names.kind", names.get("kind"), old_names["kind"])]
    free = [("spec.group", spec.get("group"), before["group"]), ("spec.names.plural", names.get("plural"), old_names["plural"])]
    for path, value, previous in [*(fixed if is_established(old) else []), *free]:
        if value != previous:
            yield cause.invalid(path, value or "", "field is immutable")


def stored_versions(crd: Raw, old: Raw | None) -> list[str]:
    """The versions that objects may be stored as, the one of now included."""
    before = ((old or {}).get("status") or {}).get("storedVersions") or []
    first = next((version.get("name") or "" for version in crd["spec"].get("versions") or [] if version.get("storage")), None)
    return [*before, *([first] if first is not None and first not in before else [])]


def _stored(crd: Raw, old: Raw | None) -> Iterator[Cause]:
    stored, path = stored_versions(crd, old), "status.storedVersions"
    versions = crd["spec"].get("versions") or []
    if not stored:
        yield cause.invalid(path, None, "must have at least one stored version")
    for version in versions if stored else []:
        if version.get("storage") and version.get("name") not in stored:
            yield cause.invalid(path, stored, f"must have the storage version {version.get('name')}")
    known = {version.get("name") for version in versions}
    for index, name in enumerate(stored):
        if name not in known:
            yield cause.invalid(f"{path}[{index}]", name, _MISSING.format(name))


_MISSING = (
    "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a storage migration "
    "ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
)
