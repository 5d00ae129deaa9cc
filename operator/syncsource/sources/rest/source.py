"""Pages of a REST API, one after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from syncsource.errors import RetryableError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest.auth import Secrets
from syncsource.sources.rest.client import Client
from syncsource.sources.rest.connecting import connect
from syncsource.sources.rest.fetching import Fetching
from syncsource.sources.rest.passing import Pass
from syncsource.sources.rest.reasons import ROWS_MOVED
from syncsource.sources.rest.recipe import Recipe
from syncsource.sources.rest.retrying import Retrying
from syncsource.sources.rest.stops import Shifted
from syncsource.sources.rest.values import Values

_log = logging.getLogger(__name__)


class RestSource:
    """``spec.source.http``. Made by :meth:`open`."""

    waits = True

    def __init__(self, recipe: Recipe, client: Client, fetching: Fetching) -> None:
        self._recipe, self._client, self._fetching = recipe, client, fetching
        self.state: str | None = None
        self.unchanged = False
        self.billed = 0
        self.known: Sequence[str] = ()

    @classmethod
    def open(cls, spec: SyncSourceSpec, secrets: Secrets, *, hosts: Hosts, cancelled: threading.Event) -> RestSource:
        """See :func:`syncsource.sources.open_source`."""
        http = spec.source.http
        assert http is not None
        client = connect(http, secrets, hosts=hosts, cancelled=cancelled)
        return cls(Recipe(spec), client, Fetching(http, client, Retrying(http.retry, cancelled)))

    def pages(self, part: Slice) -> Iterator[Page]:
        """See :class:`syncsource.sources.Source`. Where rows moved meanwhile, all are read once more."""
        values = Values(part, datetime.now(UTC), self._recipe.clock)
        try:
            yield from self._read(values)
        except Shifted as moved:
            _log.warning("%s: reading again from the first page", moved)
        else:
            return
        try:
            yield from self._read(values)
        except Shifted as moved:
            raise _moved(moved) from None

    def close(self) -> None:
        """See :class:`syncsource.sources.Source`."""
        self._client.close()

    def _read(self, values: Values) -> Iterator[Page]:
        self.state, self.unchanged = None, False
        once = Pass(self._fetching, self._recipe, values, self._client.resolve)
        yield from once.pages()
        self.state, self.unchanged = once.state, once.unchanged


def _moved(moved: Shifted) -> RetryableError:
    return RetryableError(
        f"spec.source.http.pagination: {moved}, as had happened before in this run: rows are taken away while they are read, so that others "
        "may be missed; let the upstream sort by the id, or use keyset or cursor",
        reason=ROWS_MOVED,
    )
