"""What is wrong with roles and bindings (`pkg/apis/rbac/validation`), and how they are completed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

GROUP = "rbac.authorization.k8s.io"
Object = Mapping[str, Any]


def check_role(obj: Object, old: Object | None) -> Iterator[Cause]:
    for index, rule in enumerate(obj.get("rules") or ()):
        yield from _check_rule(f"rules[{index}]", rule, is_namespaced=obj["kind"] == "Role")


def _check_rule(path: str, rule: Object, *, is_namespaced: bool) -> Iterator[Cause]:
    if not rule["verbs"]:
        yield cause.required(f"{path}.verbs", "verbs must contain at least one value")
    if rule.get("nonResourceURLs"):
        yield from _check_paths(f"{path}.nonResourceURLs", rule, is_namespaced=is_namespaced)
        return
    for field, what in (("apiGroups", "api group"), ("resources", "resource")):
        if not rule.get(field):
            yield cause.required(f"{path}.{field}", f"resource rules must supply at least one {what}")


def _check_paths(path: str, rule: Object, *, is_namespaced: bool) -> Iterator[Cause]:
    if is_namespaced:
        yield cause.invalid(path, rule["nonResourceURLs"], "namespaced rules cannot apply to non-resource URLs")
    if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
        yield cause.invalid(path, rule["nonResourceURLs"], "rules cannot apply to both regular resources and non-resource URLs")


def complete_binding(obj: dict[str, Any], old: Object | None) -> None:
    for subject in obj.get("subjects") or ():
        if subject["kind"] in {"User", "Group"} and not subject.get("apiGroup"):
            subject["apiGroup"] = GROUP


def check_binding(obj: Object, old: Object | None) -> Iterator[Cause]:
    is_namespaced = obj["kind"] == "RoleBinding"
    reference = obj["roleRef"]
    if old is not None and reference != old["roleRef"]:
        yield cause.invalid("roleRef", reference, "cannot change roleRef")
    kinds = ("ClusterRole", "Role") if is_namespaced else ("ClusterRole",)
    for field, allowed in (("apiGroup", (GROUP,)), ("kind", kinds)):
        if reference[field] not in allowed:
            yield cause.not_supported(f"roleRef.{field}", reference[field], allowed)
    if not reference["name"]:
        yield cause.required("roleRef.name")
    for index, subject in enumerate(obj.get("subjects") or ()):
        yield from _check_subject(f"subjects[{index}]", subject, is_namespaced=is_namespaced)


def _check_subject(path: str, subject: Object, *, is_namespaced: bool) -> Iterator[Cause]:
    kind, group = subject["kind"], subject.get("apiGroup") or ""
    if not subject["name"]:
        yield cause.required(f"{path}.name")
    if kind not in {"ServiceAccount", "User", "Group"}:
        yield cause.not_supported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))
    elif kind == "ServiceAccount" and not is_namespaced and not subject.get("namespace"):
        yield cause.required(f"{path}.namespace")
    expected = "" if kind == "ServiceAccount" else GROUP
    if group != expected:
        yield cause.not_supported(f"{path}.apiGroup", group, (expected,))
