"""Whether every SyncSource has come to rest, and how to show them."""

from __future__ import annotations

import time
from typing import Any

from syncsource.client.api import TABLE, Api, Object
from syncsource.resource.conditions import READY, STALLED, find
from syncsource.resource.status import SyncSourceStatus
from syncsource.resource.syncsource import Metadata


def settled(source: Object) -> bool:
    """Whether the last run of this very spec is over, and nothing is due before the next scheduled run."""
    metadata, status = Metadata.model_validate(source["metadata"]), SyncSourceStatus.model_validate(source.get("status") or {})
    ready = find(status.conditions, READY)
    if find(status.conditions, STALLED) is not None:
        return True
    ran = ready is not None and ready.status != "Unknown" and ready.observed_generation == metadata.generation
    return ran and status.current_run is None and status.next_retry_time is None


def failure(source: Object) -> str:
    """Why a SyncSource is not Ready, in one line; empty where it is."""
    ready = find(SyncSourceStatus.model_validate(source.get("status") or {}).conditions, READY)
    if ready is not None and ready.status == "True":
        return ""
    return f"{source['metadata']['name']}: " + (f"{ready.reason}: {ready.message}" if ready else "no operator has seen it")


def await_all(api: Api, seconds: float) -> list[Object]:
    """The SyncSources of the namespace once all have settled, or as they are when time is up. Raises ApiFailed."""
    ends = time.monotonic() + seconds
    listed = api.send("GET", api.sources())["items"]
    known = {source["metadata"]["name"]: source for source in listed}
    waited = api.watch(api.sources(), {}, max(ends - time.monotonic(), 0))
    while not all(map(settled, known.values())):
        source = next(waited, None)
        if source is None:
            break
        known[source["metadata"]["name"]] = source
    return list(known.values())


def table(api: Api) -> tuple[list[str], list[list[str]]]:
    """Heading and rows of what ``kubectl get syncsources`` prints, asked of the API itself."""
    answer = api.send("GET", api.sources(), accept=TABLE)
    shown = [index for index, column in enumerate(answer["columnDefinitions"]) if not column.get("priority")]
    head = [answer["columnDefinitions"][index]["name"].upper() for index in shown]
    return head, [[_cell(row["cells"][index]) for index in shown] for row in answer["rows"]]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
