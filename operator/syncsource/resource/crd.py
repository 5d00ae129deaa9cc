"""The CustomResourceDefinitions, as ``make crds`` generated them: to do that at each start would take a fifth of a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from syncsource.resource import api

_FILE = Path(__file__).with_name("crd.json")


def crds() -> list[dict[str, Any]]:
    """The CustomResourceDefinitions, as new dicts."""
    found: list[dict[str, Any]] = json.loads(_FILE.read_bytes())["items"]
    return found


def crd(kind: str = api.KIND) -> dict[str, Any]:
    """The CustomResourceDefinition of that kind, as a new dict."""
    return next(one for one in crds() if one["spec"]["names"]["kind"] == kind)
