"""A Kubernetes API with the credentials of a kubeconfig."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient
from kubernetes.config.config_exception import ConfigException

from syncsource.errors import SyncError, outside_text
from syncsource.resource import api as names

Object = dict[str, Any]
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
LOCAL_KUBECONFIG = Path(".syncsource/kubeconfig")
_SHORT = 30.0
_CONTENT = {
    "plain": "application/json",
    "merge_patch": "application/merge-patch+json",
    "apply_patch": "application/apply-patch+yaml",
}


class ApiFailed(SyncError):
    """The API server refused, or can't be reached. ``code`` is its HTTP status; 0: no answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message, reason="ApiFailed")
        self.code = code


class Api:
    """One control plane and a namespace of it."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client, self.namespace = client, namespace

    @classmethod
    def connect(cls, kubeconfig: str | None = None, context: str | None = None, namespace: str | None = None) -> Api:
        """As kubectl does; where nothing is given, the embedded control plane's kubeconfig is taken if there is one. Raises ApiFailed."""
        kubeconfig = kubeconfig_of(kubeconfig)
        try:
            client = config.new_client_from_config(kubeconfig, context=context, persist_config=False)
            _, active = config.list_kube_config_contexts(kubeconfig)
        except (ConfigException, OSError) as error:
            raise ApiFailed(f"no control plane: {outside_text(str(error))}; start one with `syncsource up`, or give --kubeconfig") from None
        return cls(client, namespace or _namespace(kubeconfig, context, active) or "default")

    def sources(self, name: str = "") -> str:
        """The path of the SyncSources, or of one."""
        return f"/apis/{names.API_VERSION}/namespaces/{self.namespace}/{names.PLURAL}" + (f"/{name}" if name else "")

    def runs(self, name: str = "") -> str:
        """The same of SyncRuns."""
        return f"/apis/{names.API_VERSION}/namespaces/{self.namespace}/{names.RUN_PLURAL}" + (f"/{name}" if name else "")

    def send(self, method: str, path: str, *, query: dict[str, str] | None = None, accept: str = "application/json", **body: Any) -> Object:
        """One request; ``body`` is one keyword, its content type: plain, merge_patch or apply_patch. Raises ApiFailed."""
        answer = self._open(method, path, query or {}, accept, body, _SHORT)
        text = answer.data.decode(errors="replace")
        if answer.status >= 400:
            raise ApiFailed(_told(text, answer.status), answer.status)
        sent: Object = json.loads(text)
        return sent

    def watch(self, path: str, query: dict[str, str], seconds: float) -> Iterator[Object]:
        """Objects as they are now and whenever they change, for so many seconds; broken watches are begun anew."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                yield from self._watched(path, {**query, "watch": "true", "timeoutSeconds": str(int(left) + 1)}, left)
            except (urllib3.exceptions.HTTPError, OSError, ApiFailed) as error:
                if isinstance(error, ApiFailed) and error.code:
                    raise
                time.sleep(min(0.5, max(ends - time.monotonic(), 0)))

    def _watched(self, path: str, query: dict[str, str], seconds: float) -> Iterator[Object]:
        answer = self._open("GET", path, query, "application/json", {}, seconds + 5)
        if answer.status >= 400:
            raise ApiFailed(_told(answer.data.decode(errors="replace"), answer.status), answer.status)
        waiting = b""
        for chunk in answer.stream():
            *lines, waiting = (waiting + chunk).split(b"\n")
            yield from (event["object"] for event in map(json.loads, filter(None, lines)) if event["type"] in ("ADDED", "MODIFIED"))

    def _open(self, method: str, path: str, query: dict[str, str], accept: str, body: dict[str, Any], seconds: float) -> Any:
        headers = {"Accept": accept}
        if body:
            headers["Content-Type"] = _CONTENT[next(iter(body))]
        _, url, sent, _, _ = self._client.param_serialize(
            method, path, query_params=list(query.items()), header_params=headers, auth_settings=["BearerToken"]
        )
        content = json.dumps(next(iter(body.values()))).encode() if body else None
        try:
            return self._client.rest_client.pool_manager.request(
                method, url, headers=sent, body=content, preload_content=False, timeout=seconds, retries=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise ApiFailed(f"the control plane does not answer: {outside_text(str(error))}; is `syncsource up` running?") from None


def kubeconfig_of(given: str | None) -> str | None:
    """The kubeconfig to use: the one given, else what kubectl would take, else the embedded control plane's."""
    if given or os.environ.get("KUBECONFIG") or not LOCAL_KUBECONFIG.exists():
        return given
    return str(LOCAL_KUBECONFIG)


def _namespace(kubeconfig: str | None, context: str | None, active: Any) -> str | None:
    every: list[Object] = config.list_kube_config_contexts(kubeconfig)[0] if context else [active or {}]
    chosen = [one for one in every if context in (None, one.get("name"))]
    return chosen[0].get("context", {}).get("namespace") if chosen else None


def _told(text: str, code: int) -> str:
    try:
        return outside_text(json.loads(text)["message"], 1000)
    except (ValueError, KeyError, TypeError):
        return outside_text(text) or f"HTTP {code}"
