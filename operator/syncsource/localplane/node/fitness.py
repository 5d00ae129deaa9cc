"""Whether a Pod can run on this node, and in words why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from syncsource.localplane.node.api import Object
from syncsource.localplane.node.images import name_of

TEMPORARY = "/tmp"
"""Where an emptyDir may be mounted: its folder is in TMPDIR."""
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
"""What an API server adds by itself; containers get a kubeconfig instead."""
_UNABLE = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "volumeDevices")


def obstacle(pod: Object, images: Collection[str], labels: dict[str, str]) -> str:
    """What keeps it from running here; empty where nothing does."""
    return next(_obstacles(pod["spec"], images, labels), "")


def _obstacles(spec: Object, images: Collection[str], labels: dict[str, str]) -> Iterator[str]:
    initial = spec.get("initContainers") or []
    for container in (*initial, *spec["containers"]):
        if name_of(container.get("image") or "") not in images:
            known = ", ".join(images) or "none"
            yield f"it runs only images named {known}; container {container['name']} uses image {_quoted(container.get('image') or '')}"
    selector = spec.get("nodeSelector") or {}
    if any(labels.get(name) != value for name, value in selector.items()):
        yield f"it has not the labels of spec.nodeSelector {selector}"
    for container in initial:
        if container.get("restartPolicy"):
            yield f"init container {container['name']} has a restartPolicy of its own, which it can't give; make it a container"
    if spec.get("readinessGates"):
        yield "spec.readinessGates are not looked at here; leave them away"
    for container in (*initial, *spec["containers"]):
        yield from _container_obstacles(container, {volume["name"]: volume for volume in spec.get("volumes") or ()})


def _container_obstacles(container: Object, volumes: dict[str, Object]) -> Iterator[str]:
    name = container["name"]
    for field in _UNABLE:
        if container.get(field):
            yield f"container {name} has a {field}, which needs a container runtime; leave it away"
    for mount in container.get("volumeMounts") or ():
        path, volume = mount["mountPath"].rstrip("/"), volumes.get(mount["name"]) or {}
        if path == TOKEN_FOLDER or (path == TEMPORARY and "emptyDir" in volume and not mount.get("subPath")):
            continue
        yield (
            f"containers are processes with this machine's file system; container {name} mounts volume {mount['name']} at "
            f"{mount['mountPath']}, and only an emptyDir at {TEMPORARY} can be had (as TMPDIR): pass files by environment variables"
        )


def _quoted(text: str) -> str:
    return '"' + text[:200] + '"'
