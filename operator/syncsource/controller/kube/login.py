"""Who we are and where the API server is, found as kubectl finds it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import kopf
from kubernetes.aio import config
from kubernetes.aio.client import Configuration

_DEFAULT = "~/.kube/config"
_TOKEN_SECONDS = 300.0
"""How long a token is used: no plugin issues one for less than twice that."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """``kubeconfig``: a path; None: ``$KUBECONFIG``, else ``~/.kube/config``, else the service account of the Pod.

    ``context``: a context of that file; None: its current one.
    """

    kubeconfig: str | None = None
    context: str | None = None

    async def configuration(self) -> Any:
        """The client's configuration, whose token is renewed. Raises kubernetes.aio.config.ConfigException if there is none."""
        configuration: Any = Configuration()
        if self._in_cluster():
            config.load_incluster_config(client_configuration=configuration)
        else:
            await self._read(configuration)
            configuration.refresh_api_key_hook = _Renewal(self._read)
        return configuration

    async def _read(self, configuration: Any) -> None:
        path = self.kubeconfig or os.environ.get("KUBECONFIG") or _DEFAULT
        await config.load_kube_config(config_file=path, context=self.context, client_configuration=configuration, persist_config=False)

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
        return not Path(_DEFAULT).expanduser().exists() and "KUBERNETES_SERVICE_HOST" in os.environ


class _Renewal:
    """Reads the kubeconfig again now and then: its plugin's token expires, and the client never asks for another."""

    def __init__(self, read: Callable[[Any], Awaitable[None]]) -> None:
        self._read = read
        self._read_at = time.monotonic()

    async def __call__(self, configuration: Any) -> None:
        if time.monotonic() - self._read_at < _TOKEN_SECONDS:
            return
        self._read_at = time.monotonic()
        fresh = Configuration()
        try:
            await self._read(fresh)
        except (config.ConfigException, OSError) as error:
            _log.warning("the kubeconfig can't be read, the old token stays: %s", error)
            return
        configuration.api_key = fresh.api_key
