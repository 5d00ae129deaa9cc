"""What is odd about metadata and yet no error: owners named twice, finalizers of nobody's domain."""

from __future__ import annotations

from typing import Any

from syncsource.localplane.registry.resource import Resource

_OWN_FINALIZERS = frozenset({"foregroundDeletion", "orphan", "kubernetes"})
_ADVICE = "prefer a domain-qualified finalizer name{} to avoid accidental conflicts with other finalizer writers"
_TWICE = (
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests "
    "as early as 1.24; please fix your requests; duplicate UID(s) observed: {}"
)


def distinct_owners(metadata: dict[str, Any]) -> tuple[str, ...]:
    """Drop the owners that come twice, and warn of them."""
    owners: list[dict[str, Any]] = metadata.get("ownerReferences") or []
    distinct = [owner for place, owner in enumerate(owners) if owner not in owners[:place]]
    if len(distinct) == len(owners):
        return ()
    metadata["ownerReferences"] = distinct
    twice = dict.fromkeys(owner["uid"] for place, owner in enumerate(owners) if owner in owners[:place])
    return (_TWICE.format(", ".join(twice)),)


def finalizer_warnings(resource: Resource, obj: dict[str, Any], old: dict[str, Any] | None) -> tuple[str, ...]:
    """A warning for each new finalizer of a custom object that has no domain and is not one of the server's own."""
    if not resource.is_custom:
        return ()
    known = {*_OWN_FINALIZERS, *(old["metadata"].get("finalizers") or [] if old else [])}
    added = [name for name in obj["metadata"].get("finalizers") or [] if "/" not in name and name not in known]
    return tuple(f'metadata.finalizers: "{name}": {_ADVICE.format(" including a path (/)" if "." in name else "")}' for name in added)
