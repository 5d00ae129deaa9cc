"""What one Pod has on this machine: folders, records, and the environment of its containers."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

from syncsource.localplane import podlogs
from syncsource.localplane.node.accounts import Account
from syncsource.localplane.node.api import Api, ApiFailed, Object
from syncsource.localplane.node.environment import container_environment
from syncsource.localplane.node.images import Images, name_of

_ROOMS = "node"


class Room:
    """`<state>/node/<uid>/`: `home` and `tmp`, and for each container its last words and the ends of its starts."""

    def __init__(self, api: Api, state: Path, pod: Object, images: Images) -> None:
        self._api, self._state, self.pod, self._images = api, state, pod, images
        self.uid: str = pod["metadata"]["uid"]
        self._folder: Path = state / _ROOMS / self.uid
        self.account = Account(api, pod, self._folder)

    @property
    def title(self) -> str:
        """The Pod as messages name it."""
        return f"{self.pod['metadata']['name']}_{self.pod['metadata']['namespace']}({self.uid})"

    def prepare(self) -> None:
        """Make the folders. Raises OSError."""
        for name in ("home", "tmp", *(container["name"] for container in containers(self.pod))):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def log_folder(self, container: str) -> Path:
        metadata = self.pod["metadata"]
        place = {"namespace": metadata["namespace"], "pod": metadata["name"], "uid": self.uid, "container": container}
        return podlogs.container_folder(self._state, **place)

    def message_file(self, container: str) -> Path:
        """Where a container writes its last words."""
        return self._folder / container / "termination-log"

    def result(self, container: str, start: int) -> Path:
        """The record of how a start ended."""
        return self._folder / container / f"{start}.json"

    def entrypoint(self, container: Object) -> tuple[str, ...]:
        """The command of the container's image."""
        return self._images[name_of(container["image"])]

    async def environment(self, container: Object) -> dict[str, str]:
        """Raises NotConfigured and ApiFailed."""
        self.message_file(container["name"]).unlink(missing_ok=True)
        server = urlsplit(self._api.server)
        given = {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(self._folder / "tmp"),
            "HOSTNAME": self.pod["spec"].get("hostname") or self.pod["metadata"]["name"],
            "TERMINATION_MESSAGE_PATH": str(self.message_file(container["name"])),
            "KUBERNETES_SERVICE_HOST": server.hostname or "",
            "KUBERNETES_SERVICE_PORT": str(server.port or 443),
        }
        return await container_environment(self.pod, container, given | await self.account.environment(), self._fetch)

    async def _fetch(self, plural: str, name: str) -> Object | None:
        try:
            return await self._api.send("GET", f"/api/v1/namespaces/{self.pod['metadata']['namespace']}/{plural}/{name}")
        except ApiFailed as failed:
            if failed.code != 404:
                raise
            return None


def containers(pod: Object) -> list[Object]:
    """All of them, in the order of their start."""
    return [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]


def remove(state: Path, pod: Object) -> None:
    """Delete all files of a Pod, its logs too."""
    metadata = pod["metadata"]
    shutil.rmtree(state / _ROOMS / metadata["uid"], ignore_errors=True)
    podlogs.remove_logs(state, namespace=metadata["namespace"], pod=metadata["name"], uid=metadata["uid"])


def remove_others(state: Path, uids: set[str]) -> None:
    """Delete the files of Pods that are not among `uids`."""
    for folder in (state / _ROOMS).glob("*-*"):
        if folder.name not in uids:
            shutil.rmtree(folder, ignore_errors=True)
