"""An operator that only says which toys and namespaces it sees."""

from __future__ import annotations

import json
from typing import Any

import kopf


@kopf.on.event("toys")
def toy(name: str, type: str | None, namespace: str, **_: Any) -> None:
    print(json.dumps({"what": "toy", "name": name, "namespace": namespace, "type": type}), flush=True)


@kopf.on.event("namespaces")
def space(name: str, type: str | None, **_: Any) -> None:
    print(json.dumps({"what": "namespace", "name": name, "type": type}), flush=True)
