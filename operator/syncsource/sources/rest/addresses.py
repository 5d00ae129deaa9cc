"""Which addresses may be asked: not those that only this machine's own surroundings answer at."""

from __future__ import annotations

import ipaddress
import socket

import httpcore

from syncsource.errors import PermanentError
from syncsource.sources.rest.reasons import ADDRESS_REFUSED

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_METADATA = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:42::42"),
    )
)
"""Where clouds hand out credentials to their machines, besides the link-local 169.254.169.254: AWS and its EKS by IPv6, Google by IPv6,
Alibaba, Oracle, Azure, Scaleway by IPv6."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""An IPv4 address in the last 32 bits, RFC 6052."""


_NAMES = frozenset(("metadata.google.internal", "metadata.goog", "metadata", "instance-data", "instance-data.ec2.internal"))
"""Names that lead there, where somebody else looks them up."""


def resolved(host: str, port: int, *, link_local: bool = False) -> list[str]:
    """The host's addresses, in the order in which to try them: connect to these, since a second look-up may find others.

    Raises PermanentError (AddressRefused) where one of them is refused, unless ``link_local`` allows it; httpcore.ConnectError where there
    is none.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(error) from error
    addresses = list(dict.fromkeys(str(place[0]) for *_, place in found))
    for address in addresses:
        if not link_local and refused_address(address):
            raise _refusal(f"{host} is at {address}")
    return addresses


def check_name(host: str) -> None:
    """A host that a proxy is to look up. Raises PermanentError (AddressRefused) where it is known without that to be refused."""
    address = _literal(host.rstrip("."))
    if host.lower().rstrip(".") in _NAMES or (address is not None and refused_address(address)):
        raise _refusal(f"{host} is at {address or 'the metadata service'}")


def _literal(host: str) -> str | None:
    """The address that a host is by itself: with IPv4 in decimal, hexadecimal and short forms, too."""
    try:
        return str(ipaddress.ip_address(host.strip("[]").partition("%")[0]))
    except ValueError:
        pass
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _refusal(what: str) -> PermanentError:
    return PermanentError(
        f"{what}, a link-local or cloud metadata address, which hands out credentials of this machine: nothing was sent there; "
        "name another host, or start the operator with --allow-link-local",
        reason=ADDRESS_REFUSED,
    )


def refused_address(text: str) -> bool:
    """Whether an address, in any form that holds an IPv4 address too, is link-local or one of a cloud's metadata."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return any(one.is_link_local or one in _METADATA for one in (address, *_within(address)))


def _within(address: _Address) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses that an IPv6 address stands for: mapped (RFC 4291), 6to4 (RFC 3056), NAT64."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [found for found in (address.ipv4_mapped, address.sixtofour, translated) if found is not None]
