"""The parameters of a write, as clients send them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Guard = Callable[[Mapping[str, Any], Mapping[str, Any] | None], None]


def _unguarded(obj: Mapping[str, Any], old: Mapping[str, Any] | None) -> None:
    return


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`validation` is Strict, Warn or Ignore; `subresource` is empty for the object itself.

    `guard` is shown the object as it would be stored, with the one before it or None, and raises where that may not be.
    `duplicates` says which fields of the body came twice: they count as unknown fields do.
    """

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    subresource: str = ""
    guard: Guard = _unguarded
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`uid` and `version` are preconditions, empty for none; `propagation` is Background, Foreground or Orphan.

    `grace` is how many seconds the object may take to end; None leaves that to its kind.
    """

    dry_run: bool = False
    uid: str = ""
    version: str = ""
    propagation: str = "Background"
    grace: int | None = None
