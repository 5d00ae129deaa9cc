"""Who we are and where the API server is, found as kubectl finds it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kopf
from kubernetes.aio import config
from kubernetes.aio.client import Configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """``kubeconfig``: a path; None: ``$KUBECONFIG``, else ``~/.kube/config``, else the service account of the Pod.

    ``context``: a context of that file; None: its current one.
    """

    kubeconfig: str | None = None
    context: str | None = None

    async def configuration(self) -> Any:
        """The client's configuration, read anew. Raises kubernetes.aio.config.ConfigException if there is none."""
        configuration = Configuration()
        if self._in_cluster():
            config.load_incluster_config(client_configuration=configuration)
        else:
            await config.load_kube_config(
                config_file=self.kubeconfig, context=self.context, client_configuration=configuration, persist_config=False
            )
        return configuration

    async def connection(self) -> kopf.ConnectionInfo:
        """The same for kopf."""
        found = await self.configuration()
        token = await found.get_api_key_with_prefix("BearerToken")
        scheme, _, secret = (token or "").rpartition(" ")
        return kopf.ConnectionInfo(
            server=found.host,
            ca_path=found.ssl_ca_cert,
            insecure=not found.verify_ssl,
            username=found.username or None,
            password=found.password or None,
            scheme=scheme or None,
            token=secret or None,
            certificate_path=found.cert_file,
            private_key_path=found.key_file,
            proxy_url=found.proxy,
        )

    def _in_cluster(self) -> bool:
        if self.kubeconfig or self.context or os.environ.get("KUBECONFIG"):
            return False
        return not Path("~/.kube/config").expanduser().exists() and "KUBERNETES_SERVICE_HOST" in os.environ
