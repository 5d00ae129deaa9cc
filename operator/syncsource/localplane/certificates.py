"""A certificate authority of one's own, and a certificate for 127.0.0.1 that it signed."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from syncsource.localplane.statefiles import write_private

LIFETIME = dt.timedelta(days=3650)
RENEW_BEFORE = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files: what clients trust, and what the server shows."""

    authority: Path
    certificate: Path
    key: Path


def ensure_certificates(folder: Path, now: dt.datetime, *, for_clients: bool = False) -> Certificates:
    """The certificates below `folder`, made where they are missing or about to expire; `for_clients`: to be shown by clients as well."""
    paths = Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    if (
        not all(path.exists() for path in (paths.authority, paths.certificate, paths.key))
        or _expires(paths.certificate) - RENEW_BEFORE < now
    ):
        _make(paths, now, [ExtendedKeyUsageOID.SERVER_AUTH, *([ExtendedKeyUsageOID.CLIENT_AUTH] if for_clients else [])])
    return paths


def _expires(path: Path) -> dt.datetime:
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc


def _make(paths: Certificates, now: dt.datetime, usages: list[x509.ObjectIdentifier]) -> None:
    """The authority's key is thrown away once it has signed the one certificate."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("syncsource-local-ca")
    authority = _builder(issuer, issuer, authority_key, now).add_extension(x509.BasicConstraints(True, 0), critical=True)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    signed = authority.add_extension(usage, critical=True).sign(authority_key, hashes.SHA256())
    server = (
        _builder(_name("syncsource-local"), issuer, server_key, now)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for path, content in ((paths.key, private), (paths.certificate, server.public_bytes(pem)), (paths.authority, signed.public_bytes(pem))):
        write_private(path, content)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
