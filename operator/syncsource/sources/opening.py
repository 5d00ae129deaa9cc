"""A source from a spec."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from syncsource.errors import StalledError
from syncsource.resource.conditions import INVALID_SPEC
from syncsource.resource.sent import unsent
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Source
from syncsource.sources.files import NO_FILES, Files
from syncsource.sources.hosts import Hosts

Secrets = Mapping[str, Mapping[str, str]]


class _Opener(Protocol):
    def __call__(self, spec: SyncSourceSpec, secrets: Secrets, *, hosts: Hosts, cancelled: threading.Event) -> Source: ...


def open_source(spec: SyncSourceSpec, secrets: Secrets, *, hosts: Hosts, cancelled: threading.Event, files: Files = NO_FILES) -> Source:
    """The source that a spec declares. Nothing is sent before its first page is asked for.

    ``secrets``: name → key → value. ``hosts`` says when a request may be sent, and is told of what all runs share.
    ``cancelled``, once set, ends every wait with AbortedError (Cancelled). ``files``: those of this machine that may be read.

    Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec.
    """
    if problems := unsent(spec):
        raise StalledError("; ".join(map(str, problems)), reason=INVALID_SPEC)
    if spec.source.csv is not None:
        from syncsource.sources.csvfiles.source import FileSource

        return FileSource.open(spec, secrets, hosts=hosts, cancelled=cancelled, files=files)
    return _OPENERS[spec.source.kind]()(spec, secrets, hosts=hosts, cancelled=cancelled)


def _http() -> _Opener:
    from syncsource.sources.rest.source import RestSource

    return RestSource.open


def _firestore() -> _Opener:
    from syncsource.sources.firestore.source import FirestoreSource

    return FirestoreSource.open


def _sql() -> _Opener:
    from syncsource.sources.sql.source import DatabaseSource

    return DatabaseSource.open


_OPENERS: Mapping[str, Callable[[], _Opener]] = {"http": _http, "firestore": _firestore, "sql": _sql}
"""By the kind's name in the spec. Imported where it is wanted: each brings libraries of its own."""
