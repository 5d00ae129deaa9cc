"""Queries and their answers."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from syncsource import __version__
from syncsource.errors import PermanentError, RetryableError
from syncsource.resource.firestore import FirestoreSource
from syncsource.sources.firestore import failures
from syncsource.sources.firestore.answers import Answer, QueryFailed, page
from syncsource.sources.firestore.signing import Account, granted
from syncsource.sources.hosts import Hosts
from syncsource.sources.rest import client as rest
from syncsource.sources.rest import reasons
from syncsource.sources.rest.asking import JSON, Ask
from syncsource.sources.rest.incoming import Incoming
from syncsource.sources.rest.redaction import Redaction
from syncsource.sources.rest.retrying import Retrying
from syncsource.sources.rest.terms import Terms
from syncsource.sources.rest.urls import port

LARGEST = 64 * 1024 * 1024
"""Bytes of an answer, decompressed, that are held in memory. A document has at most 1 MiB, of which JSON may make six."""
_FIELD = "spec.source.firestore"
_HEADERS = (("content-type", JSON), ("user-agent", f"syncsource/{__version__} (gzip)"))
"""Google compresses only for those who say gzip in their user agent, too."""


class TooLarge(Exception):
    """The answer is larger than memory should hold: ask for fewer documents."""


class Client:
    """Sends the queries of one source, one at a time."""

    def __init__(
        self,
        source: FirestoreSource,
        account: Account | None,
        redaction: Redaction,
        *,
        hosts: Hosts,
        cancelled: threading.Event,
        charge: Callable[[int], None],
        largest: int = LARGEST,
    ) -> None:
        """``charge`` is told of document reads as they are billed."""
        self._base = httpx.URL(source.base)
        self._secret = account.secret if account else None
        self._charge = charge
        self._hosts = hosts
        self._retrying = Retrying(source.retry, cancelled, field=_FIELD)
        terms = Terms(
            base=self._base,
            field=_FIELD,
            address=f"{_FIELD}.endpoint",
            timeout=source.timeout,
            patience=source.retry.max_backoff,
            largest_body=largest,
            refusal=failures.refusal,
        )
        self._client = rest.Client(terms, granted(account, redaction, hosts), redaction, hosts=hosts, cancelled=cancelled)

    def query(self, parent: str, body: Mapping[str, Any]) -> Answer:
        """A page, tried again as spec.source.firestore.retry says. Raises TooLarge, RetryableError, PermanentError, AbortedError.

        Each document that comes is billed as a read, and a query that finds none as one.
        """
        url = self._base.join(f"/v1/{quote(parent, safe='/()')}:runQuery")
        ask = Ask(url, "POST", _HEADERS, msgspec.json.encode(body))
        answer = self._retrying.run(functools.partial(self._send, ask))
        self._charge(max(1, len(answer.documents)))
        return answer

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        self._client.close()

    def _send(self, ask: Ask) -> Answer:
        try:
            return self._client.take(ask, self._taken)
        except RetryableError as error:
            if error.reason == reasons.RATE_LIMITED and error.after:
                self._hosts.pause(self._base.host, port(self._base), error.after)
            raise
        except PermanentError as error:
            if error.reason == reasons.ANSWER_TOO_LARGE:
                raise TooLarge from None
            raise

    def _taken(self, incoming: Incoming) -> Answer:
        received = incoming.whole()
        try:
            return page(received)
        except QueryFailed as failed:
            self._charge(failed.documents)
            raise failures.refused(received.call, failed.status, None, self._secret) from None
