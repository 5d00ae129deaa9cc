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
from syncsource.sources.rest.network import Silence, Unconnected


@contextlib.contextmanager
def translated(call: Call) -> Iterator[None]:
    """Errors of httpx become RetryableError, where another try may help, or PermanentError."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise RetryableError(f"{call}: {_late(call, error)}", reason=reasons.TIMEOUT) from error
    except httpx.ProxyError as error:
        raise _proxy_refused(call, error) from error
    except httpx.DecodingError as error:
        raise PermanentError(
            f"{call}: the body can't be decompressed: {call.redaction.text(str(error))}", reason=reasons.NOT_JSON
        ) from error
    except httpx.TransportError as error:
        raise _broken(call, error) from error


def _late(call: Call, error: httpx.TimeoutException) -> str:
    if isinstance(error.__cause__, Unconnected) and call.connect_timeout:
        return f"no connection within {format_duration(call.connect_timeout)} ({call.field}.connectTimeout)"
    if isinstance(error.__cause__, Silence) and call.read_timeout:
        return f"nothing came for {format_duration(call.read_timeout)} ({call.field}.readTimeout)"
    return f"no complete answer within {format_duration(call.timeout)} ({call.field}.timeout)"


def _proxy_refused(call: Call, error: httpx.ProxyError) -> SyncError:
    """The proxy's answer to CONNECT begins with its status."""
    said = call.redaction.text(str(error))
    if said.startswith("4"):
        return PermanentError(f"{call}: the proxy answered {said}; check {call.field}.proxy", reason=reasons.PROXY_REFUSED)
    return RetryableError(f"{call}: the proxy answered {said}", reason=reasons.CONNECTION_FAILED)


def refused(call: Call, status: int, body: str, after: float | None, secret: str | None) -> SyncError:
    """What a status that is no success means. ``body``: its beginning. ``after``: seconds that the upstream asks to wait."""
    said = f"{call} answered {status}{_quoted(call, body)}"
    if status in (401, 403):  # Such a body may repeat what was sent to it.
        return PermanentError(f"{call} answered {status}: {_advice(call, secret)}", reason=reasons.AUTH_FAILED)
    if status == 407:
        return PermanentError(f"{call}: the proxy answered 407; check {call.field}.proxy", reason=reasons.PROXY_REFUSED)
    if status == 404:
        return PermanentError(f"{said}; check {call.address} and {call.field}.request.path", reason=reasons.NOT_FOUND)
    if status in (408, 429) or status >= 500:
        return RetryableError(said, reason=_RETRIED.get(status, reasons.UPSTREAM_UNAVAILABLE), after=after)
    return PermanentError(said, reason=reasons.UPSTREAM_REFUSED)


def in_trouble(error: BaseException) -> str:
    """The reason, where an error says that the host is in trouble: no connection, no answer, or status 5xx. Else empty."""
    return error.reason if isinstance(error, RetryableError) and error.reason in _TROUBLE else ""


_TROUBLE = frozenset((reasons.TIMEOUT, reasons.CONNECTION_FAILED, reasons.CONNECTION_LOST, reasons.UPSTREAM_UNAVAILABLE))
_RETRIED = {408: reasons.TIMEOUT, 429: reasons.RATE_LIMITED}


def _advice(call: Call, secret: str | None) -> str:
    if secret is None:
        return f"it wants credentials; set {call.field}.auth"
    return f"check the credentials in Secret {secret} ({call.field}.auth) and what they permit"


def _quoted(call: Call, body: str) -> str:
    shown = call.redaction.text(body)
    return f": {shown}" if shown else ""


def _broken(call: Call, error: httpx.TransportError) -> SyncError:
    said = call.redaction.text(str(error)) or type(error).__name__
    fault = _tls_fault(error)
    if fault is not None:
        return PermanentError(f"{call}: no trusted TLS connection: {said}; {_tls_advice(call, fault)}", reason=reasons.TLS_FAILED)
    if isinstance(error, httpx.ConnectError):
        return RetryableError(f"{call}: no connection: {said}", reason=reasons.CONNECTION_FAILED)
    return RetryableError(f"{call}: the connection was lost before the answer was complete: {said}", reason=reasons.CONNECTION_LOST)


def _tls_fault(error: BaseException | None) -> ssl.SSLError | None:
    """The failure of TLS itself, if it is one. A peer that hangs up in the middle of it is a lost connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return None if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError) else error
        error = error.__cause__ or error.__context__  # httpcore raises some "from None"
    return None


def _tls_advice(call: Call, fault: ssl.SSLError) -> str:
    if not isinstance(fault, ssl.SSLCertVerificationError):
        return f"the handshake failed; check that {call.address} names a port where TLS is spoken"
    advice = _CERTIFICATE.get(fault.verify_code, "{authorities} names private certificate authorities")
    return advice.format(address=call.address, authorities=call.authorities)


_ANOTHER = "the certificate is of another host; check the host in {address}"
_CERTIFICATE = {
    9: "the certificate is not valid yet; check the clocks of both sides",
    10: "the certificate has expired; it is to be renewed at the upstream",
    62: _ANOTHER,
    64: _ANOTHER,
}
"""By OpenSSL's X509_V_ERR_…: CERT_NOT_YET_VALID, CERT_HAS_EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH."""
