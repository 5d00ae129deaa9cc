"""TLS with certificates from Secrets."""

from __future__ import annotations

import functools
import os
import ssl
import tempfile
from collections.abc import Callable

import httpx

from syncsource.errors import StalledError
from syncsource.resource.connection import Tls
from syncsource.sources.rest.auth import Secrets, secret_values
from syncsource.sources.rest.reasons import SECRET_INVALID

_FIELD = "spec.source.http.tls"


@functools.cache
def trusted() -> ssl.SSLContext:
    """TLS with the authorities that every program of this machine trusts, and those of SSL_CERT_FILE and SSL_CERT_DIR."""
    return httpx.create_ssl_context()


def tls(declared: Tls | None, secrets: Secrets) -> Callable[[], ssl.SSLContext]:
    """A function to the context that is declared, called for https only. Raises StalledError: SecretNotFound, SecretInvalid."""
    if declared is None:
        return trusted
    context = _context(declared, secrets)
    return lambda: context


def _context(declared: Tls, secrets: Secrets) -> ssl.SSLContext:
    if declared.authority is None:
        context = httpx.create_ssl_context()
    else:
        context = ssl.create_default_context(cadata=_authority(declared.authority.name, secrets))
    if declared.client_certificate is not None:
        _show(context, declared.client_certificate.name, secrets)
    return context


def _authority(name: str, secrets: Secrets) -> str:
    text = secret_values(name, ["ca.crt"], f"{_FIELD}.authority", secrets)["ca.crt"]
    try:
        ssl.create_default_context(cadata=text)
    except (ssl.SSLError, ValueError):
        raise StalledError(f"Secret {name}: ca.crt holds no certificate in PEM ({_FIELD}.authority)", reason=SECRET_INVALID) from None
    return text


def _show(context: ssl.SSLContext, name: str, secrets: Secrets) -> None:
    """OpenSSL reads certificate and key from a file only: one without a name, which is gone when it was read."""
    values = secret_values(name, ["tls.crt", "tls.key"], f"{_FIELD}.clientCertificate", secrets)
    with _unnamed("\n".join(values.values())) as path:
        try:
            context.load_cert_chain(path, password=_no_passphrase)
        except (ssl.SSLError, ValueError):
            raise StalledError(
                f"Secret {name}: tls.crt and tls.key are no certificate and its unencrypted key in PEM ({_FIELD}.clientCertificate)",
                reason=SECRET_INVALID,
            ) from None


class _unnamed:
    """A file in memory where the system has such, else one that only this user may read."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __enter__(self) -> str:
        if hasattr(os, "memfd_create"):
            self._descriptor, self._path = os.memfd_create("tls"), ""
        else:
            self._descriptor, self._path = tempfile.mkstemp()
        os.write(self._descriptor, self._text.encode())
        return self._path or f"/proc/self/fd/{self._descriptor}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        if self._path:
            os.unlink(self._path)


def _no_passphrase() -> str:
    """Instead of asking the terminal."""
    return ""
