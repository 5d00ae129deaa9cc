"""A file that an HTTP server hands out, kept on this machine's disk while it is read: so its size does not matter to memory."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import IO

import msgspec

from syncsource.errors import PermanentError, outside_text
from syncsource.resource.csvsource import Download
from syncsource.sources.csvfiles import reasons
from syncsource.sources.files import Handed
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.auth import Secrets
from syncsource.sources.rest.client import NOT_MODIFIED
from syncsource.sources.rest.connecting import connected
from syncsource.sources.rest.incoming import Incoming
from syncsource.sources.rest.remembering import Remembered
from syncsource.sources.rest.retrying import Retrying
from syncsource.sources.rest.terms import Terms
from syncsource.sources.rest.urls import base_url

FIELD = "spec.source.csv.download"
_NONE: Mapping[str, str] = MappingProxyType({})


class Downloading:
    """``spec.source.csv.download``. Nothing is sent before a file is fetched."""

    def __init__(self, declared: Download, secrets: Secrets, *, hosts: Hosts, cancelled: threading.Event) -> None:
        """Raises StalledError: SecretNotFound, SecretInvalid, InvalidSpec."""
        self._url = base_url(declared.url, f"{FIELD}.url")
        terms = Terms(
            base=self._url,
            field=FIELD,
            address=f"{FIELD}.url",
            timeout=declared.timeout,
            read_timeout=declared.read_timeout,
            patience=declared.retry.max_backoff,
            accept="text/csv, */*;q=0.5",
        )
        self._client = connected(terms, declared.auth, secrets, hosts=hosts, cancelled=cancelled)
        self._retrying = Retrying(declared.retry, cancelled, field=FIELD)
        self._largest = declared.max_bytes
        self._name = self._url.path.rpartition("/")[2] or self._url.host

    @contextmanager
    def fetched(self, before: dict[str, str] | None) -> Iterator[tuple[Handed, dict[str, str]] | None]:
        """The file, and what to remember of it; None where it is the one that ``before`` remembers.

        Raises RetryableError, PermanentError, AbortedError.
        """
        with tempfile.NamedTemporaryFile(prefix="syncsource-") as kept:
            ask = Ask(self._url)
            save, conditions = partial(self._saved, kept, ask), _conditions(before)
            seen = self._retrying.run(lambda: self._client.take(ask, save, conditions))
            yield None if seen is None else (Handed(kept.name, self._name), msgspec.to_builtins(seen))

    def close(self) -> None:
        """Gives connections back. May be called twice."""
        self._client.close()

    def _saved(self, kept: IO[bytes], ask: Ask, incoming: Incoming) -> Remembered | None:
        try:
            if incoming.status == NOT_MODIFIED:
                return None
            self._refuse_pages(incoming)
            kept.seek(0)
            kept.truncate()
            for chunk in incoming.chunks():
                kept.write(chunk)
                if kept.tell() > self._largest:
                    raise PermanentError(
                        f"{incoming.call}: the file is larger than {self._largest:,} bytes ({FIELD}.maxBytes)",
                        reason=reasons.FILE_TOO_LARGE,
                    )
            kept.flush()
            return Remembered.of(ask, incoming.headers, None)
        finally:
            incoming.close()

    def _refuse_pages(self, incoming: Incoming) -> None:
        """A login page is no file, though it could pass for one of a single column."""
        kind = incoming.headers.get("content-type", "")
        if kind.partition(";")[0].strip().lower() in ("text/html", "application/xhtml+xml"):
            raise PermanentError(
                f"{incoming.call} answered with {outside_text(kind, 80)}, which is a page, not a file; check {FIELD}.url and {FIELD}.auth",
                reason=reasons.NOT_TEXT,
            )


def _conditions(before: dict[str, str] | None) -> Mapping[str, str]:
    try:
        return msgspec.convert(before, Remembered).conditions
    except msgspec.ValidationError:
        return _NONE
