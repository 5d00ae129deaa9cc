"""The CustomResourceDefinition, as far as the API server can take it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from syncsource.client.api import Api, ApiFailed
from syncsource.client.requests import apply
from syncsource.resource import api as names
from syncsource.resource.crd import crd

_UNDECLARED = "field not declared in schema"

_log = logging.getLogger(__name__)


def install(api: Api) -> None:
    """Declare SyncSource. Raises ApiFailed.

    Field selectors need Kubernetes 1.30 and rules 1.25: without the latter the operator alone checks specs, which is said.
    """
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{names.PLURAL}.{names.GROUP}"
    *newer, oldest = _variants()
    for variant in newer:
        try:
            return apply(api, variant, path)
        except ApiFailed as refused:
            if _UNDECLARED not in str(refused):
                raise
    _log.warning(
        "this API server is older than Kubernetes 1.25 and knows no rules: a wrong spec is told by the operator, not by kubectl apply"
    )
    return apply(api, oldest, path)


def _variants() -> Iterator[dict[str, Any]]:
    """The definition; without field selectors; without rules too, and without defaults of "", which Kubernetes 1.20 takes for null."""
    yield crd()
    yield without(crd(), lambda key, _: key == "selectableFields")
    yield without(crd(), lambda key, value: key in ("selectableFields", "x-kubernetes-validations") or (key == "default" and value == ""))


def without(tree: Any, drop: Callable[[str, Any], bool]) -> Any:
    """The same tree less the entries of its mappings that are to be dropped."""
    if isinstance(tree, dict):
        return {key: without(value, drop) for key, value in tree.items() if not drop(key, value)}
    return [without(item, drop) for item in tree] if isinstance(tree, list) else tree
