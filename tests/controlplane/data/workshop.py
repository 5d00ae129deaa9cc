"""An operator of toys with a handler of every sort; each prints what it saw as a line of JSON."""

from __future__ import annotations

import json
from typing import Any

import kopf


def say(what: str, name: str, **more: Any) -> None:
    print(json.dumps({"what": what, "name": name, **more}), flush=True)


@kopf.on.startup()
def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    settings.persistence.progress_storage = kopf.StatusProgressStorage(name="workshop", field="status.progress")
    settings.persistence.finalizer = "workshop.example/toy"
    settings.posting.loggers = True
    settings.queueing.exit_timeout = 1


@kopf.index("toys")
def colours(spec: kopf.Spec, name: str, **_: Any) -> dict[str, str]:
    return {spec.get("colour", "none"): name}


@kopf.on.create("toys")
def create(body: kopf.Body, spec: kopf.Spec, retry: int, **_: Any) -> dict[str, Any]:
    if retry < 2:
        raise kopf.TemporaryError("the glue is wet", delay=0.1)
    kopf.info(body, reason="Built", message=f"of size {spec['size']}")
    return {"size": spec["size"], "retries": retry}


@kopf.on.update("toys")
def update(diff: kopf.Diff, colours: kopf.Index[str, str], **_: Any) -> dict[str, Any]:
    known = {colour: sorted(names) for colour, names in colours.items()}
    return {"diff": [[operation, ".".join(field)] for operation, field, _, _ in diff], "colours": known}


@kopf.on.field("toys", field="spec.size")
def resize(old: Any, new: Any, **_: Any) -> dict[str, Any]:
    return {"from": old, "to": new}


@kopf.on.resume("toys")
def resume(name: str, **_: Any) -> None:
    say("resumed", name)


@kopf.on.delete("toys")
def delete(name: str, **_: Any) -> None:
    say("deleted", name)


@kopf.timer("toys", interval=0.2)
def tick(name: str, patch: kopf.Patch, status: kopf.Status, **_: Any) -> None:
    ticks = status.get("ticks", 0) + 1
    if ticks <= 3:
        patch.status["ticks"] = ticks


@kopf.daemon("toys")
async def look_after(name: str, stopped: kopf.DaemonStopped, **_: Any) -> None:
    say("begun", name)
    await stopped.wait()
    say("stopped", name, deleted=bool(stopped.reason & kopf.DaemonStoppingReason.RESOURCE_DELETED))
