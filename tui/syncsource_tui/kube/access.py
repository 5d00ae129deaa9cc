"""Which control plane, and who we are: read from the kubeconfig, as kubectl reads it."""

from __future__ import annotations

import asyncio
import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from syncsource_tui.core.failures import Unusable
from syncsource_tui.kube.client import Client

_DEFAULT = "~/.kube/config"
_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


@dataclass(frozen=True, slots=True)
class Access:
    """``kubeconfig``: a path; None: ``$KUBECONFIG``, else ``~/.kube/config``, else the service account of the Pod."""

    kubeconfig: str | None = None
    context: str | None = None

    async def open(self) -> Client:
        """A client of what the kubeconfig says now. Raises Unusable."""
        config = await asyncio.to_thread(importlib.import_module, "kubernetes.aio.config")  # takes half a second
        try:
            return await self._opened(config)
        except yaml.YAMLError:
            raise Unusable("the kubeconfig is not YAML") from None  # the parser's message would quote it
        except (config.ConfigException, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unusable(f"the kubeconfig can't be used: {error}") from None

    async def _opened(self, config: Any) -> Client:
        from kubernetes.aio.client import Configuration

        configuration = Configuration()
        if self._in_cluster():
            config.load_incluster_config(client_configuration=configuration)
            return Client(configuration, context="", namespace=_own_namespace())
        path = self._path()
        await config.load_kube_config(config_file=path, context=self.context, client_configuration=configuration, persist_config=False)
        contexts, current = config.list_kube_config_contexts(config_file=path)
        chosen = next((one for one in contexts if one["name"] == self.context), current)
        return Client(configuration, context=chosen["name"], namespace=chosen["context"].get("namespace") or "default")

    def _path(self) -> str:
        return os.path.expanduser(self.kubeconfig or os.environ.get("KUBECONFIG") or _DEFAULT)

    def _in_cluster(self) -> bool:
        if self.kubeconfig or self.context or os.environ.get("KUBECONFIG"):
            return False
        return not Path(_DEFAULT).expanduser().exists() and "KUBERNETES_SERVICE_HOST" in os.environ


def _own_namespace() -> str:
    return _ACCOUNT.read_text(encoding="utf-8").strip()
