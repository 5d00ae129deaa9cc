"""Which names a definition gets in its group, and the conditions that say so: as Kubernetes' naming and approval controllers decide it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from syncsource.localplane.registry.approval import approval, is_protected
from syncsource.localplane.registry.definition_checks import is_established, stored_versions

Raw = Mapping[str, Any]
_RESOURCES = {"plural": "PluralConflict", "singular": "SingularConflict"}
_KINDS = {"kind": "KindConflict", "listKind": "ListKindConflict"}
_APPROVALS = {
    "missing": ("False", "MissingAnnotation"),
    "invalid": ("False", "InvalidAnnotation"),
    "bypassed": ("False", "UnapprovedAnnotation"),
    "approved": ("True", "ApprovedAnnotation"),
}


def accepted_status(crd: Raw, others: Iterable[Raw], now: str) -> dict[str, Any]:
    """The status that a definition gets beside the `others` of its group: a name belongs to whoever had it first."""
    status = {**(crd.get("status") or {})}
    names, conflict = _accepted(crd["spec"]["names"], status.get("acceptedNames") or {}, [crd, *others])
    status["acceptedNames"], status["storedVersions"] = names, stored_versions(crd, crd)
    reason, message = conflict or ("NoConflicts", "no conflicts found")
    conditions = list(status.get("conditions") or [])
    set_condition(conditions, "NamesAccepted", "False" if conflict else "True", reason, message, now)
    if not is_established(crd):
        said = (
            ("NotAccepted", "not all names are accepted") if conflict else ("InitialNamesAccepted", "the initial names have been accepted")
        )
        set_condition(conditions, "Established", "False" if conflict else "True", *said, now)
    if is_protected(crd["spec"]["group"]):
        state, why = approval(crd)
        set_condition(conditions, "KubernetesAPIApprovalPolicyConformant", *_APPROVALS[state], why, now)
    status["conditions"] = conditions
    return status


def set_condition(conditions: list[Any], kind: str, status: str, reason: str, message: str, now: str) -> None:
    """Put a condition in its place; its time is that of its last change of status."""
    old = next((found for found in conditions if found.get("type") == kind), None)
    since = old.get("lastTransitionTime", now) if old and old.get("status") == status else now
    new = {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since}
    if old is None:
        conditions.append(new)
    else:
        conditions[conditions.index(old)] = new


def _accepted(wanted: Raw, before: Raw, group: list[Raw]) -> tuple[dict[str, Any], tuple[str, str] | None]:
    """The names that it gets, and the last conflict, where there is one."""
    resources, kinds, names, conflict = set(_used(group, _RESOURCES)), set(_used(group, _KINDS)), {**before}, None
    for taken, reasons in ((resources, _RESOURCES), (kinds, _KINDS)):
        if reasons is _KINDS:
            conflict = _short_names(wanted, before, resources, names) or conflict
        for name, reason in reasons.items():
            if wanted[name] != before.get(name) and wanted[name] in taken:
                conflict = reason, f'"{wanted[name]}" is already in use'
            else:
                names[name] = wanted[name]
    names.pop("categories", None)
    return {**names, **({"categories": wanted["categories"]} if wanted.get("categories") else {})}, conflict


def _short_names(wanted: Raw, before: Raw, taken: set[str], names: dict[str, Any]) -> tuple[str, str] | None:
    """They are accepted together or not at all."""
    asked, own = wanted.get("shortNames") or [], before.get("shortNames") or []
    used = list(dict.fromkeys(f'"{name}" is already in use' for name in asked if name in taken and name not in own))
    if used:
        return "ShortNamesConflict", used[0] if len(used) == 1 else f"[{', '.join(used)}]"
    names.pop("shortNames", None)
    if asked:
        names["shortNames"] = list(asked)
    return None


def _used(group: Iterable[Raw], fields: Iterable[str]) -> Iterator[str]:
    for crd in group:
        names = (crd.get("status") or {}).get("acceptedNames") or {}
        yield from (names[field] for field in fields if names.get(field))
        if "plural" in fields:
            yield from names.get("shortNames") or ()
