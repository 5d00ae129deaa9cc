"""Groups of the Kubernetes community: whoever defines something in one says where that was approved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

Raw = Mapping[str, Any]
APPROVAL = "api-approved.kubernetes.io"
_PROTECTED = "https://github.com/kubernetes/enhancements/pull/1111"


def check_approval(crd: Raw, old: Raw | None) -> Iterator[Cause]:
    """A protected group needs the annotation; what was wrong before may stay so."""
    group = crd["spec"].get("group") or ""
    if not is_protected(group):
        return
    state, given = approval(crd), (crd["metadata"].get("annotations") or {}).get(APPROVAL, "")
    if state[0] not in {"missing", "invalid"} or (old is not None and approval(old)[0] == state[0]):
        return
    path = f"metadata.annotations[{APPROVAL}]"
    yield cause.required(path, state[1]) if state[0] == "missing" else cause.invalid(path, given, state[1])


def is_protected(group: str) -> bool:
    """Whether a group is the community's, whose definitions somebody has to approve."""
    return group.endswith((".k8s.io", ".kubernetes.io")) or group in {"k8s.io", "kubernetes.io"}


def approval(crd: Raw) -> tuple[str, str]:
    """Whether a group of the community is approved: the state, and what the server says about it."""
    given = (crd["metadata"].get("annotations") or {}).get(APPROVAL, "")
    if not given:
        return "missing", f'protected groups must have approval annotation "{APPROVAL}", see {_PROTECTED}'
    if given.startswith("unapproved"):
        return "bypassed", f"not approved: {given!r}".replace("'", '"')
    if "://" in given:
        return "approved", f"approved in {given}"
    reason = f'protected groups must have approval annotation "{APPROVAL}" with either a URL or a reason starting with "unapproved"'
    return "invalid", f"{reason}, see {_PROTECTED}"
