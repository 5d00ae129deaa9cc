"""``syncsource up``: control plane, operator and demo, from start to stop."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncsource.client.api import Api
from syncsource.client.requests import apply
from syncsource.resource import api as names
from syncsource.standalone.assetfiles import VARIABLE, node_certificates
from syncsource.standalone.demo import bringing
from syncsource.standalone.installing import install
from syncsource.standalone.pod import NODE, operator_pod
from syncsource.standalone.processes import READY_WITHIN, Child, kept

OPERATOR_PATIENCE = 30.0
"""Seconds that the operator has to end, as a Pod's: runs stop at their next batch, and statuses are written."""

NODE_PATIENCE = 10.0
"""Seconds that the node has to end: its containers get three of them."""

ASSETS_PATIENCE = 8.0
"""Seconds that kube-apiserver and etcd have to end, one after the other."""


@dataclass(frozen=True, slots=True)
class Up:
    """What runs now. ``api`` speaks to it; ``kubeconfig`` is its file."""

    api: Api
    kubeconfig: str
    server: str
    """What takes the embedded control plane's place; empty where nothing does."""
    databases: bringing.Databases | None
    """Where the demo's rows are, if it is the demo."""


@asynccontextmanager
async def brought_up(
    folder: Path, *, port: int | None, operator: Sequence[str] | None, demo: bool, show: Callable[[bytes], None]
) -> AsyncIterator[Up]:
    """Everything started and the CRD installed; stopped in the reverse order when the block is left. ``folder`` exists.

    What dies is started again. ``operator``: the operator's command, None for no operator; ``show`` gets each line of its log.
    Raises ChildFailed, ApiFailed.
    """
    async with AsyncExitStack() as stack:
        told = (await stack.enter_async_context(kept(_control_plane(folder, port)))).told
        kubeconfig, server = told["kubeconfig"], told.get("server", "")
        api = Api.connect(kubeconfig)
        await asyncio.to_thread(install, api)
        databases = await _demo(stack, folder / "demo", api) if demo else None
        if operator is not None:
            await stack.enter_async_context(kept(_node(folder, kubeconfig, serves_logs=bool(server))))
        if operator is not None:
            pod = await stack.enter_async_context(operator_pod(api, Path(kubeconfig), folder, show))
            arguments = (*operator, "--kubeconfig", kubeconfig, "--log-format", "json")
            child = Child("the operator", "syncsource", arguments, pod, OPERATOR_PATIENCE)
            keeper = await stack.enter_async_context(kept(child))
            pod.when_deleted = keeper.end_soon
        yield Up(api, kubeconfig, server, databases)


def _control_plane(folder: Path, port: int | None) -> Child:
    """The embedded one; kube-apiserver and etcd where the environment names them."""
    name, arguments, assets = "the control plane", ("--dir", str(folder), *_port(port)), os.environ.get(VARIABLE)
    if not assets:
        return Child(name, "syncsource.localplane", arguments)
    arguments += ("--assets", str(Path(assets).resolve()))
    return Child(name, "syncsource.standalone.assets", arguments, patience=ASSETS_PATIENCE, within=4 * READY_WITHIN)


def _node(folder: Path, kubeconfig: str, *, serves_logs: bool) -> Child:
    """This machine as a node, on which images of the product are this very program. The embedded control plane reads logs by itself."""
    image = f"syncsource={shlex.join([sys.executable, '-m', 'syncsource'])}"
    arguments: tuple[str, ...] = ("--kubeconfig", kubeconfig, "--state", str(folder), "--name", NODE, "--image", image)
    if serves_logs:
        arguments += ("--log-certificates", str(node_certificates(folder)))
    return Child("the node", "syncsource.localplane.node", arguments, patience=NODE_PATIENCE)


async def _demo(stack: AsyncExitStack, folder: Path, api: Api) -> bringing.Databases:
    credentials = bringing.credentials(folder)
    arguments = ("--credentials", str(credentials), "--state", str(folder / "shop.json"))
    upstream = Child("the demo's upstream", "syncsource.standalone.demo.upstream", arguments)
    told = (await stack.enter_async_context(kept(upstream))).told
    databases = stack.enter_context(bringing.databases(folder))
    for manifest in bringing.manifests(told["url"], json.loads(credentials.read_text()), databases):
        await asyncio.to_thread(apply, api, manifest, _path(api, manifest))
    return databases


def _path(api: Api, manifest: dict[str, Any]) -> str:
    name = manifest["metadata"]["name"]
    return api.sources(name) if manifest["kind"] == names.KIND else f"/api/v1/namespaces/{api.namespace}/secrets/{name}"


def _port(port: int | None) -> tuple[str, ...]:
    return () if port is None else ("--port", str(port))
