"""TLS: private authorities are trusted where the environment names them, nobody else is."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from syncsource.sources.rest import terms
from tests.upstream import Reply, hanging, in_turn


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that signs itself, and its key, in one file."""
    return written(tmp_path_factory.mktemp("tls") / "upstream.pem")


def written(path: Path, *, address: str = "127.0.0.1", begins: int = -1, ends: int = 1) -> Path:
    """``begins`` and ``ends``: days from now."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "upstream")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now + timedelta(days=begins), now + timedelta(days=ends))
    host = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    signed = builder.add_extension(host, False).add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(plain + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for(serve: Any, failure: Any, context: ssl.SSLContext) -> None:
    upstream = serve(in_turn(Reply([1])), context)
    error, _ = failure(upstream.url, retry={"attempts": 3})
    assert (type(error).__name__, error.reason) == ("PermanentError", "TLSFailed")
    assert error.message.startswith(f"GET {upstream.url}: no trusted TLS connection: [SSL: CERTIFICATE_VERIFY_FAILED]")
    assert error.message.endswith("; spec.source.http.tls.authority names private certificate authorities")
    assert upstream.asked == []


def test_tls_where_none_is_spoken(serve: Any, failure: Any) -> None:
    upstream = serve(in_turn(Reply([1])))
    error, _ = failure(upstream.url.replace("http:", "https:"))
    assert (type(error).__name__, error.reason) == ("PermanentError", "TLSFailed")


def test_tls_where_none_is_spoken_says_so(serve: Any, failure: Any) -> None:
    error, _ = failure(serve(in_turn(Reply([1]))).url.replace("http:", "https:"))
    assert error.message.endswith("the handshake failed; check that spec.source.http.baseURL names a port where TLS is spoken")


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"begins": -2, "ends": -1}, "the certificate has expired; it is to be renewed at the upstream"),
        ({"begins": 1, "ends": 2}, "the certificate is not valid yet; check the clocks of both sides"),
        ({"address": "127.0.0.2"}, "the certificate is of another host; check the host in spec.source.http.baseURL"),
    ],
    ids=["expired", "early", "another"],
)
def test_what_is_wrong_with_a_trusted_certificate(
    serve: Any, failure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], advice: str
) -> None:
    path, context = written(tmp_path / "wrong.pem", **wrong), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    terms.trusted.cache_clear()
    try:
        error, _ = failure(serve(in_turn(Reply([1])), context).url)
    finally:
        terms.trusted.cache_clear()
    assert (type(error).__name__, error.reason) == ("PermanentError", "TLSFailed")
    assert error.message.endswith("; " + advice)


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    terms.trusted.cache_clear()
    yield
    terms.trusted.cache_clear()


def test_a_private_authority(serve: Any, read: Any, context: ssl.SSLContext, trusted: None) -> None:
    rows = [{"id": number, "text": "x" * 100} for number in range(5000)]
    upstream = serve(lambda asked: Reply(rows if asked.query["page"] == "1" else []), context)
    assert read(upstream.url, pagination={"page": {}}) == rows


def test_a_body_that_hangs_within_tls_times_out(serve: Any, failure: Any, context: ssl.SSLContext, trusted: None) -> None:
    upstream = serve(lambda _: Reply(hanging(upstream, b"[1,"), length=1000), context)
    error, _ = failure(upstream.url, timeout="300ms")
    assert (type(error).__name__, error.reason) == ("RetryableError", "Timeout")
