"""Actions that the operator is asked for by a SyncRun, and waiting for what becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from syncsource.client.api import Api
from syncsource.resource import api as names
from syncsource.resource.runstatus import SyncRunStatus


def ask(api: Api, source: str, action: str, parameters: dict[str, Any]) -> str:
    """Create a SyncRun: its name. Parameters that are None are left out. Raises ApiFailed."""
    given = {name: value for name, value in parameters.items() if value is not None}
    manifest = {
        "apiVersion": names.API_VERSION,
        "kind": names.RUN_KIND,
        "metadata": {"generateName": f"{source}-{action.lower()}-"},
        "spec": {"source": source, "action": action, **given},
    }
    created = api.send("POST", api.runs(), plain=manifest)
    return str(created["metadata"]["name"])


def wait_for(api: Api, name: str, seconds: float, show: Callable[[SyncRunStatus], None]) -> SyncRunStatus | None:
    """Its status once it is over; None where it did not end in time. Raises ApiFailed."""
    for held in api.watch(api.runs(), {"fieldSelector": f"metadata.name={name}"}, seconds):
        status = SyncRunStatus.model_validate(held.get("status") or {})
        show(status)
        if status.is_over:
            return status
    return None
