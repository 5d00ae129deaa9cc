"""From a request to what its answer holds: tried again, checked, decoded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from syncsource.resource.http import HttpSource
from syncsource.sources.rest.answers import Answer, Received
from syncsource.sources.rest.asking import Ask
from syncsource.sources.rest.client import NOT_MODIFIED, Client
from syncsource.sources.rest.decoding import decoded, records_at
from syncsource.sources.rest.failing import failing
from syncsource.sources.rest.incoming import Incoming
from syncsource.sources.rest.ndjson import Stream, is_ndjson
from syncsource.sources.rest.remembering import Remembered
from syncsource.sources.rest.retrying import Retrying

NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: an answer, a stream, or neither, where nothing has changed."""

    answer: Answer | None = None
    stream: Stream | None = None
    seen: Remembered | None = None
    """What to remember of it, where that was wanted."""


class Fetching:
    """The requests of ``spec.source.http``, one at a time."""

    def __init__(self, http: HttpSource, client: Client, retrying: Retrying) -> None:
        self.http = http
        self._client, self._retrying = client, retrying
        self._check = failing(http.fail_if)
        self.records = records_at(http.records, single=_is_single(http))
        """The list of records in an answer. Raises SchemaMismatch (RecordsNotFound)."""

    def fetch(self, ask: Ask, before: Remembered | None, *, first: bool) -> Fetched:
        """What the upstream answers, after as many tries as the spec allows.

        ``first``: of this read's pages; then it is remembered, and ``before`` lets the upstream say that nothing has changed.
        """
        conditions = before.conditions if first and before and self.http.request.method == "GET" else NONE
        return self._retrying.run(partial(self._once, ask, conditions, first))

    def _once(self, ask: Ask, conditions: Mapping[str, str], first: bool) -> Fetched:
        incoming = self._client.take(ask, self._whole_or_stream, conditions)
        if isinstance(incoming, Incoming):
            seen = Remembered.of(ask, incoming.headers, None) if first else None
            return Fetched(stream=Stream(incoming, self.http.max_record_bytes), seen=seen)
        if incoming.status == NOT_MODIFIED:
            return Fetched()
        seen = Remembered.of(ask, incoming.headers, incoming.content) if first else None
        answer = decoded(incoming)
        self._check(answer)
        return Fetched(answer=answer, seen=seen)

    def _whole_or_stream(self, incoming: Incoming) -> Received | Incoming:
        if incoming.status == NOT_MODIFIED or not is_ndjson(incoming, self.http.format):
            return incoming.whole()
        return incoming


def _is_single(http: HttpSource) -> bool:
    """Whether one request has all: a page of many is a list."""
    kind = http.pagination
    return not (kind.page or kind.offset or kind.cursor or kind.link or kind.next_url or kind.keyset)
