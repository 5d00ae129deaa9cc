"""Requests to the operator, and waiting for what becomes of them."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from syncsource.client.api import Api, ApiFailed, Object
from syncsource.resource.api import FULL_REFRESH_AT, REQUESTED_AT, VERIFY_REQUESTED_AT
from syncsource.resource.status import HistoryEntry, SyncSourceStatus, Verification

Show = Callable[[SyncSourceStatus], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was made: the annotation's value, and the runs that had ended before."""

    name: str
    token: str
    ended: frozenset[str]


def ask(api: Api, name: str, *, full: bool = False) -> Asked:
    """Ask for a run. Raises ApiFailed."""
    before = status(api.send("GET", api.sources(name)))
    token = _token()
    annotations = {REQUESTED_AT: token} | ({FULL_REFRESH_AT: token} if full else {})
    api.send("PATCH", api.sources(name), merge_patch={"metadata": {"annotations": annotations}})
    return Asked(name, token, frozenset(entry.id for entry in before.history))


def wait_for(api: Api, asked: Asked, seconds: float, show: Show) -> HistoryEntry | None:
    """The history entry of the run that was asked for; None where it did not end in time. Raises ApiFailed."""
    handled = False
    for source in api.watch(api.sources(), {"fieldSelector": f"metadata.name={asked.name}"}, seconds):
        now = status(source)
        show(now)
        handled = handled or now.last_handled_request_at == asked.token
        answers = [entry for entry in now.history if entry.id not in asked.ended and entry.trigger == "Request"]
        if handled and now.current_run is None and answers:
            return answers[0]
    return None


def ask_verification(api: Api, name: str) -> str:
    """Ask for a verification: the annotation's value. Raises ApiFailed."""
    token = _token()
    api.send("PATCH", api.sources(name), merge_patch={"metadata": {"annotations": {VERIFY_REQUESTED_AT: token}}})
    return token


def wait_for_verification(api: Api, name: str, token: str, seconds: float) -> Verification | None:
    """What became of the verification that was asked for; None where it did not end in time. Raises ApiFailed."""
    for source in api.watch(api.sources(), {"fieldSelector": f"metadata.name={name}"}, seconds):
        now = status(source)
        if now.last_handled_verify_at == token:
            return now.verification
    return None


def suspend(api: Api, name: str, reason: str) -> None:
    """Stop scheduled and requested runs."""
    api.send("PATCH", api.sources(name), merge_patch={"spec": {"suspend": True, "suspendReason": reason}})


def resume(api: Api, name: str) -> None:
    """Undo :func:`suspend`."""
    api.send("PATCH", api.sources(name), merge_patch={"spec": {"suspend": False, "suspendReason": None}})


def names(api: Api, selector: str | None) -> list[str]:
    """The SyncSources of the namespace, or those that a label selector chooses."""
    listed = api.send("GET", api.sources(), query={"labelSelector": selector} if selector else None)
    return [item["metadata"]["name"] for item in listed["items"]]


def status(source: Object) -> SyncSourceStatus:
    """The status of an object."""
    return SyncSourceStatus.model_validate(source.get("status") or {})


def apply(api: Api, manifest: dict[str, Any], path: str, within: float = 15.0) -> None:
    """Server-side apply at ``path``; a kind that was declared a moment ago may take a while to be served. Raises ApiFailed."""
    ends = time.monotonic() + within
    query = {"fieldManager": "syncsource", "force": "true"}
    while True:
        try:
            api.send("PATCH", path, query=query, apply_patch=manifest)
        except ApiFailed as error:
            if error.code != 404 or time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return


def _token() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.{secrets.randbelow(10**6):06}Z"
