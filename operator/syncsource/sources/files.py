"""Which files of this machine a run may read, and where it may write some."""

from __future__ import annotations

import msgspec


class Handed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that a person handed over."""

    path: str
    name: str
    """What messages call it."""
    unlinked: bool = False
    """Whether ``path`` was checked and has no links in it, so that one that is there now was put there since."""


class Files(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be read and written: by default nothing. Crosses a process border as JSON."""

    folder: str | None = None
    """Absolute; relative paths begin here. None: there is no such folder."""
    anywhere: bool = False
    """Whether paths may lead out of the folder: where the person who wrote the manifest runs it."""
    handed: tuple[Handed, ...] = ()
    """Files to read instead of those that the spec names."""
    again: bool = False
    """Whether to read files that were read before."""
    backups: str | None = None
    """The absolute folder below which copies of tables may be kept. None: nowhere, unless ``anywhere``."""


NO_FILES = Files()
