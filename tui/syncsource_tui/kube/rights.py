"""What we may do, asked before a key is offered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from syncsource.resource.api import GROUP, PLURAL
from syncsource_tui.core.failures import Failure
from syncsource_tui.core.reading import part
from syncsource_tui.kube import paths
from syncsource_tui.kube.client import Client

_MOST = 100
"""Namespaces asked about one by one."""


class Rights:
    """Whether SyncSources may be patched, by namespace. Unknown is None: the control plane decides then."""

    def __init__(self) -> None:
        self._everywhere: bool | None = None
        self._namespaces: dict[str, bool] = {}

    def may_patch(self, namespace: str) -> bool | None:
        """In that namespace."""
        return self._namespaces.get(namespace, self._everywhere)

    async def ask(self, client: Client, namespaces: Iterable[str]) -> None:
        """Anew: everywhere at first, and only where that is denied, in each namespace."""
        self._namespaces = {}
        self._everywhere = await _review(client, "")
        if self._everywhere is not False:
            return
        asked = sorted(namespaces)[:_MOST]
        answers = await asyncio.gather(*(_review(client, namespace) for namespace in asked))
        self._namespaces = {namespace: answer for namespace, answer in zip(asked, answers, strict=True) if answer is not None}


async def _review(client: Client, namespace: str) -> bool | None:
    attributes = {"verb": "patch", "group": GROUP, "resource": PLURAL, **({"namespace": namespace} if namespace else {})}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    try:
        answer = await client.post(paths.REVIEWS, body)
    except Failure:
        return None
    return part(answer, "status").get("allowed") is True
