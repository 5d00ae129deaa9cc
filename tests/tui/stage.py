"""A real embedded control plane, objects whose status the test writes, and the application before them."""

from __future__ import annotations

import asyncio
import copy
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console
from textual.pilot import Pilot

from syncsource.localplane import LocalPlane
from syncsource.localplane.writing.options import WriteOptions
from syncsource.resource.crd import crd
from syncsource_tui.app import SyncSourceApp
from syncsource_tui.core.options import Options
from syncsource_tui.core.times import Clock, instant, rfc3339
from syncsource_tui.kube import paths
from syncsource_tui.kube.access import Access
from syncsource_tui.kube.client import Client
from syncsource_tui.kube.session import Session
from syncsource_tui.ui.fleet import FleetPage
from syncsource_tui.ui.page import Footer
from syncsource_tui.ui.toned import Bar, Block

Object = dict[str, Any]
NOW = instant("2026-11-21T12:00:00Z") or 0.0
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WITHIN = 15.0
CLOSING = 0.05
"""Seconds that TLS connections take to end after they were closed; a loop that ends before leaks them."""


class Time:
    """A clock that begins at a known moment; not ticking, it stands still but for :meth:`advance`."""

    def __init__(self, *, ticking: bool = True) -> None:
        self._now, self._began = NOW, time.monotonic() if ticking else None

    def now(self) -> float:
        """The instant."""
        return self._now + (time.monotonic() - self._began if self._began is not None else 0)

    def advance(self, seconds: float) -> None:
        """Later."""
        self._now += seconds


def ago(seconds: float) -> str:
    """An instant before the one that tests begin with; negative: after it."""
    return rfc3339(NOW - seconds)


@dataclass
class Stage:
    """The control plane and a client of it."""

    folder: Path
    plane: LocalPlane
    client: Client

    @property
    def kubeconfig(self) -> str:
        return str(self.plane.kubeconfig)

    async def create(
        self, name: str, status: Object | None = None, *, namespace: str = "default", spec: Object | None = None, **metadata: Any
    ) -> Object:
        """A SyncSource, with that status."""
        body = {
            "apiVersion": "syncsource.dev/v1alpha1",
            "kind": "SyncSource",
            "metadata": {"name": name, **metadata},
            "spec": {**SPEC, **(spec or {})},
        }
        made = await self.client.post(paths.sources(namespace), body)
        return await self.status(name, status, namespace=namespace) if status is not None else made

    async def status(self, name: str, status: Object, *, namespace: str = "default") -> Object:
        """Merge into its status, as the operator would write it."""
        return await self.client.merge_patch(paths.sources(namespace, name) + "/status", {"status": status}, right="")

    async def get(self, name: str, *, namespace: str = "default") -> Object:
        return await self.client.get(paths.sources(namespace, name))

    async def delete(self, name: str, *, namespace: str = "default") -> None:
        await self.client._json("DELETE", paths.sources(namespace, name), "")

    async def namespace(self, name: str) -> None:
        await self.client.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def fill(self, count: int) -> None:
        """So many SyncSources without a status, at once; needs a definition without a schema."""
        resource = self.plane.writer.registry.find("syncsource.dev", "v1alpha1", "syncsources")
        assert resource is not None
        for number in range(count):
            body = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": f"source-{number:05}"}, "spec": {}}
            self.plane.writer.create(resource, "default", body, WriteOptions(manager="test"))

    async def stop(self) -> None:
        """The control plane goes, its state stays."""
        await self.plane.stop()

    async def start(self, *, port: int = 0) -> None:
        """And comes back."""
        self.plane = LocalPlane(self.folder, port=port)
        await self.plane.start()


SPEC: Object = {
    "schedule": {"every": "15m"},
    "source": {"http": {"baseURL": "https://api.example/v1", "request": {"path": "/orders"}}},
    "fields": [{"name": "id", "type": "integer"}, {"name": "total", "type": "decimal(18,2)"}],
    "keys": [{"fields": ["id"]}],
    "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders"}},
}


def loose_crd() -> Object:
    """The definition without its schema: the control plane takes any status, as one of another version might."""
    definition = copy.deepcopy(crd())
    version = definition["spec"]["versions"][0]
    version["schema"] = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version.pop("selectableFields", None)
    return definition


@asynccontextmanager
async def staged(folder: Path, definition: Object | None) -> AsyncIterator[Stage]:
    """A control plane of that folder, which learns ``definition`` too, if there is one."""
    plane = LocalPlane(folder)
    await plane.start()
    client = await Access(str(plane.kubeconfig)).open()
    stage = Stage(folder, plane, client)
    try:
        if definition is not None:
            await client.post(CRDS, definition)
        yield stage
    finally:
        await stage.client.close()
        await stage.plane.stop()
        await asyncio.sleep(CLOSING)


class Show:
    """The application as a test sees and touches it."""

    def __init__(self, app: SyncSourceApp, pilot: Pilot[None], time: Time) -> None:
        self.app, self.pilot, self.time = app, pilot, time

    @property
    def fleet(self) -> FleetPage:
        return next(screen for screen in self.app.screen_stack if isinstance(screen, FleetPage))

    @property
    def text(self) -> str:
        """The whole screen, dialogs included."""
        width, height = self.app.size
        console = Console(
            width=width, height=height, file=StringIO(), force_terminal=True, color_system="truecolor", record=True, legacy_windows=False
        )
        update = self.app.screen._compositor.render_update(full=True, screen_stack=self.app._background_screens)
        console.print(update)
        return "\n".join(line.rstrip() for line in console.export_text().split("\n"))

    def line(self, id: str) -> str:
        """What one of the frame's lines says: header, banner, view, activity, footer."""
        widget = self.app.screen.query_one(f"#{id}")
        assert isinstance(widget, Bar | Block | Footer)
        return re.sub(" +", " ", widget.text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, true: Callable[[], Any], *, what: str = "") -> None:
        """Wait until something is so; AssertionError with the screen where it never is."""
        ends = time.monotonic() + WITHIN
        while not true():
            assert time.monotonic() < ends, f"{what or 'it'} never came to be; the screen:\n{self.text}"
            await self.pilot.pause(0.02)

    async def until_shows(self, text: str) -> None:
        await self.until(lambda: text in self.text, what=repr(text))

    async def until_live(self, *names: str) -> None:
        await self.until(lambda: self.app.session.connection.is_live and len(self.fleet.table.keys) >= len(names), what="LIVE")
        for name in names:
            await self.until_shows(name)

    def names(self) -> list[str]:
        """Of the rows, in their order."""
        return [row.name for row in map(self.app.fleet.row, self.fleet.table.keys) if row is not None]

    def cursor(self) -> str:
        """The name under the fleet's cursor."""
        row = self.app.fleet.row(self.fleet.table.cursor)
        return row.name if row else ""


@asynccontextmanager
async def showing(
    kubeconfig: str, *, size: tuple[int, int] = (120, 40), time: Time | None = None, namespaces: Iterable[str] = (), **options: Any
) -> AsyncIterator[Show]:
    """The application on a screen of that size."""
    time = time or Time()
    everywhere = options.pop("everywhere", False)
    session = Session(Access(kubeconfig), namespaces=tuple(namespaces), everywhere=everywhere, now=time.now)
    app = SyncSourceApp(session, options=Options(version="0.1.0", **options), clock=Clock(time.now, UTC))
    async with app.run_test(size=size) as pilot:
        yield Show(app, pilot, time)


def ready(**more: Any) -> Object:
    """A status of a source that is well."""
    return {
        "observedGeneration": 1,
        "conditions": [
            condition("Ready", "True", "Succeeded", "1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s"),
            condition("Syncing", "False", "WaitingForSchedule", f"Next run at {ago(-690)}."),
        ],
        "effectiveSchedule": "every 15m",
        "lastAttemptTime": ago(242),
        "lastSuccessTime": ago(240),
        "nextRunTime": ago(-690),
        "lastRun": {"id": "0mw1", "read": 1204, "inserted": 3, "updated": 9, "unchanged": 1192, "changed": 12},
        "history": [
            entry(
                "0mw1",
                read=1204,
                inserted=3,
                updated=9,
                unchanged=1192,
                message="1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s",
            )
        ],
        "quarantined": 0,
        **more,
    }


def failed(reason: str = "Unavailable", message: str = "503 from https://api.example/v1/orders", **more: Any) -> Object:
    """A status of a source whose last run failed."""
    told = {"conditions": [condition("Ready", "False", reason, message), condition("Syncing", "False", "BackingOff", "Retry 1 of 5.")]}
    ended = entry("0mw2", result="Failed", reason=reason, message=message)
    return ready(**{**told, "nextRetryTime": ago(-150), "consecutiveFailures": 1, "history": [ended], **more})


def running(run: str = "0mw3", read: int = 9204, **more: Any) -> Object:
    """A status of a source that runs."""
    current = {"id": run, "trigger": "Schedule", "generation": 1, "startedAt": ago(42), "read": read}
    return ready(**{"currentRun": current, **more})


def condition(type_: str, status: str, reason: str, message: str) -> Object:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": ago(240), "observedGeneration": 1}


def entry(
    id: str, *, result: str = "Succeeded", reason: str = "Succeeded", trigger: str = "Schedule", message: str = "", **counts: int
) -> Object:
    told = {"id": id, "trigger": trigger, "generation": 1, "full": False, "startedAt": ago(242), "duration": "1.4s", "result": result}
    return {
        **told,
        "reason": reason,
        "message": message,
        "read": 0,
        "inserted": 0,
        "updated": 0,
        "unchanged": 0,
        "skipped": 0,
        "quarantined": 0,
        **counts,
    }


async def settle(check: Callable[[], bool]) -> None:
    """Without an application: until something is so."""
    ends = time.monotonic() + WITHIN
    while not check():
        assert time.monotonic() < ends, "it never came to be"
        await asyncio.sleep(0.01)
