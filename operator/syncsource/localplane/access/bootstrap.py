"""The roles and bindings of `bootstrap.yaml` as objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import yaml

from syncsource.localplane.access.authorizer import GROUP

AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate"
_AGGREGATE = "rbac.authorization.k8s.io/aggregate-to-"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def bootstrap_objects() -> Iterator[dict[str, Any]]:
    """ClusterRoles, then ClusterRoleBindings."""
    text = files("syncsource.localplane.access").joinpath("bootstrap.yaml").read_text(encoding="utf-8")
    policy = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    yield from map(_role, policy["roles"])
    yield from map(_binding, policy["bindings"])


def _object(kind: str, name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    metadata = {"name": name, "labels": {**_LABELS, **labels}, "annotations": {AUTO_UPDATE: "true"}}
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}


def _role(given: Mapping[str, Any]) -> dict[str, Any]:
    labels = {f"{_AGGREGATE}{given['part_of']}": "true"} if "part_of" in given else {}
    role = {**_object("ClusterRole", given["name"], labels), "rules": given.get("rules") or []}
    if "aggregates" in given:
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {f"{_AGGREGATE}{given['aggregates']}": "true"}}]}
    return role


def _binding(given: Mapping[str, Any]) -> dict[str, Any]:
    subjects = [{"apiGroup": GROUP, "kind": "Group", "name": name} for name in given["groups"]]
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": given["role"]}
    return {**_object("ClusterRoleBinding", given["role"], {}), "subjects": subjects, "roleRef": reference}
