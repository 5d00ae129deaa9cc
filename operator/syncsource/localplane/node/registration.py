"""The Node object of this machine: made at the start, and told to be alive every few minutes."""

from __future__ import annotations

import asyncio
import logging
import platform
from collections.abc import Mapping

from syncsource.localplane.node import clock
from syncsource.localplane.node.api import STRATEGIC_PATCH, Api, ApiFailed, Object
from syncsource.localplane.node.environment import NODE_ADDRESS, machine

HEARTBEAT_SECONDS = 300.0
_AGAIN = 2.0
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
_log = logging.getLogger(__name__)


def node_labels(name: str) -> dict[str, str]:
    """What node selectors look at."""
    system, kind = platform.system().lower(), _MACHINES.get(platform.machine(), platform.machine())
    return {"kubernetes.io/hostname": name, "kubernetes.io/os": system, "kubernetes.io/arch": kind}


class Registration:
    """Keeps the Node there and Ready."""

    def __init__(self, api: Api, name: str, images: Mapping[str, object]) -> None:
        self._api, self._name, self._images = api, name, images
        self._since = clock.stamp()
        self.log_port = 0
        """Where logs are served; 0 for nowhere."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.register()
                await asyncio.sleep(HEARTBEAT_SECONDS)
            except ApiFailed as failed:
                _log.debug("the Node was not written: %s", failed)
                await asyncio.sleep(_AGAIN)

    async def register(self) -> None:
        """Make the Node where it is not there, and write its status. Raises ApiFailed."""
        labels = node_labels(self._name)
        try:
            await self._api.send("POST", "/api/v1/nodes", {"metadata": {"name": self._name, "labels": labels}})
        except ApiFailed as failed:
            if failed.code != 409:
                raise
        patch = {"metadata": {"labels": labels}, "status": self._status()}
        await self._api.send("PATCH", f"/api/v1/nodes/{self._name}/status", patch, kind=STRATEGIC_PATCH)

    def _status(self) -> Object:
        message = f"processes of images named {', '.join(self._images) or '(none)'} run here"
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": message}
        system = platform.uname()
        return {
            "conditions": [{**ready, "lastHeartbeatTime": clock.stamp(), "lastTransitionTime": self._since}],
            "addresses": [{"type": "InternalIP", "address": NODE_ADDRESS}, {"type": "Hostname", "address": self._name}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": self.log_port}},
            "capacity": machine(),
            "allocatable": machine(),
            "nodeInfo": {
                "kubeletVersion": "v1.36.2",
                "kubeProxyVersion": "",
                "containerRuntimeVersion": "process://1",
                "operatingSystem": system.system.lower(),
                "architecture": _MACHINES.get(system.machine, system.machine),
                "kernelVersion": system.release,
                "osImage": system.system,
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        }
