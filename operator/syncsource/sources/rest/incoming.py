"""An answer on its way: status and headers are there, the body comes in pieces, decompressed and bounded."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from syncsource.errors import PermanentError
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call, Received
from syncsource.sources.rest.compression import decompressed
from syncsource.sources.rest.failures import translated
from syncsource.sources.rest.network import Watch


class Incoming:
    """An answer with a status of success, or 304 where that was asked for. Close it, or read it whole."""

    def __init__(self, call: Call, response: httpx.Response, watch: Watch, largest: int, too_large: str) -> None:
        self.call = call
        self.status = response.status_code
        self.headers = response.headers
        self._response = response
        self._watch = watch
        self._largest, self._too_large = largest, too_large

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, once. However large: the reader bounds what it keeps. Raises RetryableError, PermanentError, AbortedError."""
        with translated(self.call):
            yield from pieces(self._response)

    def more_time(self) -> None:
        """The time for the answer begins anew: a stream has it for each of its pages. Raises AbortedError (Cancelled)."""
        self._watch.begin(self.call.timeout.total_seconds())

    def whole(self) -> Received:
        """The complete answer; closes this one. Raises as :meth:`chunks` does, and PermanentError (AnswerTooLarge)."""
        try:
            parts, size = [], 0
            for part in self.chunks():
                parts.append(part)
                size += len(part)
                if size > self._largest:
                    raise PermanentError(
                        f"{self.call}: the body is larger than {self._largest:,} bytes{self._too_large}", reason=reasons.ANSWER_TOO_LARGE
                    )
            return Received(self.call, self.status, self.headers, b"".join(parts))
        finally:
            self.close()

    def close(self) -> None:
        """Gives the connection back. May be called twice."""
        self._response.close()


def pieces(response: httpx.Response) -> Iterator[bytes]:
    """A body in decompressed pieces. Raises errors of httpx."""
    coding = response.headers.get("content-encoding")
    return decompressed(response.iter_raw(), coding) if coding else response.iter_raw()
