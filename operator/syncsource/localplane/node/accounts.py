"""The service account of a Pod: a kubeconfig with a token of it, renewed before it expires."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import os
from pathlib import Path

from syncsource.localplane.node import clock
from syncsource.localplane.node.api import Api, ApiFailed, Object
from syncsource.localplane.node.environment import NotConfigured

TOKEN_SECONDS = 3600
_RENEWED_AFTER = 0.8
_AGAIN = 30.0
_log = logging.getLogger(__name__)


class Account:
    """Of a Pod that names an account other than `default`, and does not refuse its token."""

    def __init__(self, api: Api, pod: Object, folder: Path) -> None:
        self._api, self._folder = api, folder
        self._namespace: str = pod["metadata"]["namespace"]
        self._name: str = pod["spec"].get("serviceAccountName") or "default"
        self._wanted: bool | None = pod["spec"].get("automountServiceAccountToken")
        self._expires = ""
        self._lock = asyncio.Lock()

    async def environment(self) -> dict[str, str]:
        """KUBECONFIG, where there is an account. Raises NotConfigured and ApiFailed."""
        if self._name == "default" or self._wanted is False:
            return {}
        async with self._lock:
            if not self._expires and not await self._issue():
                return {}
        return {"KUBECONFIG": str(self._folder / "kubeconfig")}

    async def keep(self) -> None:
        """Renew the token until cancelled."""
        while True:
            left = -clock.since(self._expires) if self._expires else 0.0
            await asyncio.sleep(max(left - TOKEN_SECONDS * (1 - _RENEWED_AFTER), _AGAIN))
            if self._expires:
                try:
                    await self._renew()
                except (ApiFailed, OSError) as failed:
                    _log.warning("the token of %s/%s was not renewed: %s", self._namespace, self._name, failed)

    async def _issue(self) -> bool:
        path = f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._name}"
        try:
            account = await self._api.send("GET", path)
            if self._wanted is None and account.get("automountServiceAccountToken") is False:
                return False
            await self._renew()
        except ApiFailed as failed:
            if failed.code != 404:
                raise
            raise NotConfigured(f'serviceaccount "{self._name}" not found') from None
        _write(self._folder / "kubeconfig", json.dumps(self._kubeconfig()))
        return True

    async def _renew(self) -> None:
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": TOKEN_SECONDS}}
        issued = await self._api.send("POST", f"/api/v1/namespaces/{self._namespace}/serviceaccounts/{self._name}/token", body)
        _write(self._folder / "token", issued["status"]["token"])
        self._expires = issued["status"]["expirationTimestamp"]

    def _kubeconfig(self) -> Object:
        """JSON is YAML. Clients read the token's file again, as they do in a cluster."""
        authority = base64.b64encode(self._api.authority).decode()
        cluster = {"server": self._api.server, **({"certificate-authority-data": authority} if authority else {})}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "pod",
            "clusters": [{"name": "pod", "cluster": cluster}],
            "users": [{"name": "pod", "user": {"tokenFile": str(self._folder / "token")}}],
            "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod", "namespace": self._namespace}}],
        }


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and for its owner only. Raises OSError."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
