"""What went wrong with a request, as one of our errors."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator

import httpx

from syncsource.errors import PermanentError, RetryableError, SyncError
from syncsource.resource.types import format_duration
from syncsource.sources.rest import reasons
from syncsource.sources.rest.answers import Call


@contextlib.contextmanager
def translated(call: Call) -> Iterator[None]:
    """Errors of httpx become RetryableError, where another try may help, or PermanentError."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise RetryableError(
            f"{call}: no complete answer within {format_duration(call.timeout)} (spec.source.http.timeout)", reason=reasons.TIMEOUT
        ) from error
    except httpx.DecodingError as error:
        raise PermanentError(
            f"{call}: the body can't be decompressed: {call.redaction.text(str(error))}", reason=reasons.NOT_JSON
        ) from error
    except httpx.TransportError as error:
        raise _broken(call, error) from error


def refused(call: Call, status: int, body: str, after: float | None, secret: str | None) -> SyncError:
    """What a status that is no success means. ``body``: its beginning. ``after``: seconds that the upstream asks to wait."""
    said = f"{call} answered {status}{_quoted(call, body)}"
    if status in (401, 403):  # Such a body may repeat what was sent to it.
        return PermanentError(f"{call} answered {status}: {_advice(secret)}", reason=reasons.AUTH_FAILED)
    if status == 404:
        return PermanentError(f"{said}; check spec.source.http.baseURL and spec.source.http.request.path", reason=reasons.NOT_FOUND)
    if status in (408, 429) or status >= 500:
        return RetryableError(said, reason=_RETRIED.get(status, reasons.UPSTREAM_UNAVAILABLE), after=after)
    return PermanentError(said, reason=reasons.UPSTREAM_REFUSED)


_RETRIED = {408: reasons.TIMEOUT, 429: reasons.RATE_LIMITED}


def _advice(secret: str | None) -> str:
    if secret is None:
        return "it wants credentials; set spec.source.http.auth"
    return f"check the credentials in Secret {secret} (spec.source.http.auth) and what they permit"


def _quoted(call: Call, body: str) -> str:
    shown = call.redaction.text(body)
    return f": {shown}" if shown else ""


def _broken(call: Call, error: httpx.TransportError) -> SyncError:
    said = call.redaction.text(str(error)) or type(error).__name__
    if _is_tls(error):
        return PermanentError(
            f"{call}: no trusted TLS connection: {said}; SSL_CERT_FILE names private certificate authorities", reason=reasons.TLS_FAILED
        )
    if isinstance(error, httpx.ConnectError):
        return RetryableError(f"{call}: no connection: {said}", reason=reasons.CONNECTION_FAILED)
    return RetryableError(f"{call}: the connection was lost before the answer was complete: {said}", reason=reasons.CONNECTION_LOST)


def _is_tls(error: BaseException | None) -> bool:
    """Whether TLS itself failed. A peer that hangs up in the middle of it is a lost connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        error = error.__cause__ or error.__context__  # httpcore raises some "from None"
    return False
