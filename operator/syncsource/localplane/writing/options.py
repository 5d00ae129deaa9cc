"""The parameters of a write, as clients send them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """`validation` is Strict, Warn or Ignore; `subresource` is empty for the object itself."""

    manager: str = "unknown"
    dry_run: bool = False
    force: bool = False
    validation: str = "Warn"
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """`uid` and `version` are preconditions, empty for none; `propagation` is Background, Foreground or Orphan."""

    dry_run: bool = False
    uid: str = ""
    version: str = ""
    propagation: str = "Background"
