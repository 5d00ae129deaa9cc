"""The operator's log, wherever its Pod is: found by labels, followed, and found again when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from syncsource_tui.core.failures import Away, Failure, Forbidden, Missing
from syncsource_tui.core.loglines import LogBuffer, parse
from syncsource_tui.core.reading import Object, part, parts, raw
from syncsource_tui.core.text import clean
from syncsource_tui.kube import paths
from syncsource_tui.kube.client import Client

SELECTOR = "app.kubernetes.io/name=syncsource,app.kubernetes.io/component=operator"
NAMESPACE = "syncsource"
CONTAINER = "operator"
_TAIL = 2000
_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0)


@dataclass(frozen=True, slots=True)
class Pod:
    """An operator's Pod."""

    namespace: str
    name: str
    uid: str
    phase: str
    created: str


class OperatorLog:
    """Writes lines to ``buffer``, and to ``state`` what there is to say: which Pod, or why there is no log."""

    def __init__(self, client: Callable[[], Client], buffer: LogBuffer) -> None:
        self._client, self._buffer = client, buffer
        self.state = "looking for the operator"
        self.failed = False

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            try:
                pod = await find(self._client())
                failures = 0
                await self._read(pod)
                self._tell(f"the log of Pod {pod.namespace}/{pod.name} ended; looking for it again")
            except Failure as failure:
                self._tell(_why(failure), failed=True)
            await asyncio.sleep(_WAITS[min(failures, len(_WAITS) - 1)])
            failures += 1

    async def _read(self, pod: Pod) -> None:
        self._buffer.clear()
        self._tell(f"Pod {clean(pod.namespace)}/{clean(pod.name)}")
        query = {"container": CONTAINER, "follow": "true", "tailLines": str(_TAIL)}
        right = paths.right("get", "pods/log", pod.namespace)
        async for line in self._client().lines(paths.log(pod.namespace, pod.name), query, right=right):
            self._buffer.add(parse(line))

    def _tell(self, text: str, *, failed: bool = False) -> None:
        self.state, self.failed = text, failed


async def find(client: Client) -> Pod:
    """The operator's newest running Pod: in all namespaces where they may be listed, else in its own, else in ours.

    Raises Missing where there is none, Forbidden where no place may be looked at.
    """
    refused: Forbidden | None = None
    for namespace in dict.fromkeys((None, NAMESPACE, client.namespace)):
        try:
            found = await client.get(paths.pods(namespace), {"labelSelector": SELECTOR}, right=paths.right("list", "pods", namespace))
        except Forbidden as forbidden:
            refused = forbidden
            continue
        pods = [_pod(item) for item in parts(found, "items")]
        if pods:
            return max(pods, key=lambda pod: (pod.phase == "Running", pod.created))
        if namespace is None:
            break
    if refused is not None:
        raise refused
    raise Missing("no operator's Pod")


def _pod(item: Object) -> Pod:
    metadata = part(item, "metadata")
    return Pod(
        namespace=raw(metadata, "namespace"),
        name=raw(metadata, "name"),
        uid=raw(metadata, "uid"),
        phase=raw(part(item, "status"), "phase"),
        created=raw(metadata, "creationTimestamp"),
    )


def _why(failure: Failure) -> str:
    match failure:
        case Forbidden():
            return f"no log: you may not {failure.right}"
        case Missing():
            return f"no log: there is no Pod with the labels {SELECTOR}, or its log is gone; is an operator running?"
        case Away():
            return f"no log: {failure.message}"
        case _:
            return f"no log: {failure.message}"
