"""The CustomResourceDefinitions, as far as the API server can take it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from syncsource.client.api import Api, ApiFailed
from syncsource.client.requests import apply
from syncsource.resource.crd import crds

_UNDECLARED = "field not declared in schema"

_log = logging.getLogger(__name__)


def install(api: Api) -> None:
    """Declare SyncSource and SyncRun. Raises ApiFailed.

    Field selectors need Kubernetes 1.30 and rules 1.25: without the latter the operator alone checks specs, which is said.
    """
    with_rules = [_declared(api, definition) for definition in crds()]
    if not all(with_rules):
        _log.warning(
            "this API server is older than Kubernetes 1.25 and knows no rules: a wrong spec is told by the operator, not by kubectl apply"
        )


def _declared(api: Api, definition: dict[str, Any]) -> bool:
    """Whether the API server takes it with its rules."""
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition['metadata']['name']}"
    *newer, oldest = _variants(definition)
    for variant in newer:
        try:
            apply(api, variant, path)
            return True
        except ApiFailed as refused:
            if _UNDECLARED not in str(refused):
                raise
    apply(api, oldest, path)
    return False


def _variants(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The definition; without field selectors; without rules too, and without defaults of "", which Kubernetes 1.20 takes for null."""
    yield definition
    yield without(definition, lambda key, _: key == "selectableFields")
    yield without(
        definition, lambda key, value: key in ("selectableFields", "x-kubernetes-validations") or (key == "default" and value == "")
    )


def without(tree: Any, drop: Callable[[str, Any], bool]) -> Any:
    """The same tree less the entries of its mappings that are to be dropped."""
    if isinstance(tree, dict):
        return {key: without(value, drop) for key, value in tree.items() if not drop(key, value)}
    return [without(item, drop) for item in tree] if isinstance(tree, list) else tree
