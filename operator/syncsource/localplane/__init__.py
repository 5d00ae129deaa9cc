"""The embedded Kubernetes API server: generic machinery over SQLite for one machine, on 127.0.0.1 only.

It is a component in its own right: it imports nothing of `syncsource` outside this package and knows no resource of the
product. Built-in kinds and CustomResourceDefinitions are descriptions in one registry; no code path is for one of them.
`syncsource.localplane.admission` works without a server and may not import aiohttp, so importing this package must not either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from syncsource.localplane.plane import LocalPlane

__all__ = ["LocalPlane"]


def __getattr__(name: str) -> object:
    if name != "LocalPlane":
        raise AttributeError(name)
    from syncsource.localplane.plane import LocalPlane

    return LocalPlane
