"""The functions that Kubernetes adds to CEL (`k8s.io/apiserver/pkg/cel/library`), as one table.

Values of the opaque types (URL, IP, CIDR, Quantity, Semver, Format) are maps with one marked entry while a rule runs.
A function that raises ValueError makes the rule fail with that text.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import re2

from syncsource.localplane.admission.cel.functions import Function, opaque, parses, text_of
from syncsource.localplane.admission.cel.quantity import parse_quantity
from syncsource.localplane.admission.cel.runnable import VALIDATE, check_named
from syncsource.localplane.admission.cel.semver import SEMVERS, precedence
from syncsource.localplane.admission.cel.values import Duration, Timestamp

MAX_MATCHES = 10_000


# -- URLs


def _url(text: str) -> dict[str, str]:
    parts = urlsplit(text)
    absolute = bool(parts.scheme) and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", parts.scheme)
    if not (absolute or text.startswith("/")) or re.search(r"[\x00-\x20\x7f]", text) or re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ValueError(f'URL parse error during conversion from string: parse "{text}": invalid URI for request')
    _ = parts.port
    return opaque("URL", text)


def _host(url: dict[str, str]) -> str:
    return urlsplit(text_of(url)).netloc.rpartition("@")[2]


def _query(url: dict[str, str]) -> dict[str, list[str]]:
    return parse_qs(urlsplit(text_of(url)).query, keep_blank_values=True)


URLS = [
    Function("isURL", ("string",), "bool", parses(_url), member=False),
    Function("url", ("string",), "URL", _url, member=False),
    Function("getScheme", ("URL",), "string", lambda url: urlsplit(text_of(url)).scheme),
    Function("getHost", ("URL",), "string", _host),
    Function("getHostname", ("URL",), "string", lambda url: urlsplit(text_of(url)).hostname or ""),
    Function("getPort", ("URL",), "string", lambda url: str(urlsplit(text_of(url)).port or "")),
    Function("getEscapedPath", ("URL",), "string", lambda url: quote(urlsplit(text_of(url)).path, safe="/%:@!$&'()*+,;=~-._")),
    Function("getQuery", ("URL",), "map<string, list<string>>", _query),
]


# -- regular expressions


def _find(text: str, pattern: str) -> str:
    found = _compiled(pattern).search(text)
    return str(found.group(0)) if found else ""


def _find_all(text: str, pattern: str, limit: int = MAX_MATCHES) -> list[str]:
    found = (match.group(0) for match in _compiled(pattern).finditer(text))
    return [match for match, _ in zip(found, range(limit if limit >= 0 else MAX_MATCHES), strict=False)]


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern)
    except re2.error as bad:
        raise ValueError(f"Illegal regex: {bad}") from bad


REGEX = [
    Function("find", ("string", "string"), "string", _find),
    Function("findAll", ("string", "string"), "list<string>", _find_all),
    Function("findAll", ("string", "string", "int"), "list<string>", _find_all),
]


# -- lists


def _is_sorted(items: list[Any]) -> bool:
    return all(left <= right for left, right in pairwise(items))


def _extreme(choose: Callable[[list[Any]], Any], name: str) -> Callable[[list[Any]], Any]:
    def call(items: list[Any]) -> Any:
        if not items:
            raise ValueError(f"{name} called on empty list")
        return _returned(choose(items))

    return call


def _returned(value: Any) -> Any:
    """A value as a function may return it where its type is not declared."""
    return Duration.of(value) if isinstance(value, dt.timedelta) else Timestamp.of(value) if isinstance(value, dt.datetime) else value


def _sum(items: list[Any]) -> Any:
    return _returned(sum(items[1:], start=items[0])) if items else 0


LISTS = [
    Function("isSorted", ("list<dyn>",), "bool", _is_sorted),
    Function("sum", ("list<dyn>",), "dyn", _sum),
    Function("min", ("list<dyn>",), "dyn", _extreme(min, "min")),
    Function("max", ("list<dyn>",), "dyn", _extreme(max, "max")),
]


# -- quantities


def _quantity(text: str) -> dict[str, str]:
    return opaque("Quantity", str(parse_quantity(text)))


def _amount(quantity: dict[str, str] | int) -> Fraction:
    return Fraction(quantity) if isinstance(quantity, int) else Fraction(text_of(quantity))


def _as_integer(quantity: dict[str, str]) -> int:
    amount = _amount(quantity)
    if amount.denominator != 1:
        raise ValueError("cannot convert value to integer")
    return int(amount)


def _compare(left: Any, right: Any) -> int:
    first, second = _comparable(left), _comparable(right)
    return int(first > second) - int(first < second)


def _comparable(value: dict[str, str]) -> Any:
    if "kubernetes.Semver" in value:
        return precedence(text_of(value))
    return _amount(value)


QUANTITIES = [
    Function("isQuantity", ("string",), "bool", parses(parse_quantity), member=False),
    Function("quantity", ("string",), "Quantity", _quantity, member=False),
    Function("sign", ("Quantity",), "int", lambda value: _compare(value, opaque("Quantity", "0")), member=False),
    Function("isInteger", ("Quantity",), "bool", lambda value: _amount(value).denominator == 1),
    Function("asInteger", ("Quantity",), "int", _as_integer),
    Function("asApproximateFloat", ("Quantity",), "double", lambda value: float(_amount(value))),
    *(
        Function(name, ("Quantity", other), "Quantity", lambda left, right, sign=sign: _added(left, right, sign))
        for name, sign in (("add", 1), ("sub", -1))
        for other in ("Quantity", "int")
    ),
]


def _added(left: dict[str, str], right: dict[str, str] | int, sign: int) -> dict[str, str]:
    return opaque("Quantity", str(_amount(left) + sign * _amount(right)))


# -- addresses


def _ip(text: str) -> dict[str, str]:
    address = ipaddress.ip_address(text)
    if "%" in text or (address.version == 6 and address.ipv4_mapped):
        raise ValueError(f"IP Address {text!r} is not allowed to have a zone or to be an IPv4-mapped IPv6 address")
    return opaque("IP", str(address))


def _address(value: dict[str, str]) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(text_of(value))


def _is_link_local_multicast(value: dict[str, str]) -> bool:
    address = _address(value)
    networks = ("224.0.0.0/24",) if address.version == 4 else tuple(f"ff{flags:x}2::/16" for flags in range(16))
    return any(address in ipaddress.ip_network(network) for network in networks)


def _is_global_unicast(value: dict[str, str]) -> bool:
    address = _address(value)
    is_broadcast = address == ipaddress.ip_address("255.255.255.255")
    return not (is_broadcast or address.is_unspecified or address.is_loopback or address.is_multicast or address.is_link_local)


def _cidr(text: str) -> dict[str, str]:
    if "/" not in text:
        raise ValueError(f"network address parse error during conversion from string: {text!r}")
    return opaque("CIDR", str(ipaddress.ip_interface(text)))


def _network(value: dict[str, str] | str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    return ipaddress.ip_interface(value if isinstance(value, str) else text_of(value)).network


def _contains_cidr(outer: dict[str, str], inner: dict[str, str] | str) -> bool:
    one, other = _network(outer), _network(inner)
    return one.version == other.version and other.network_address in one and other.prefixlen >= one.prefixlen


def _contains_ip(network: dict[str, str], address: dict[str, str] | str) -> bool:
    return ipaddress.ip_address(address if isinstance(address, str) else text_of(address)) in _network(network)


ADDRESSES = [
    Function("isIP", ("string",), "bool", parses(_ip), member=False),
    Function("ip", ("string",), "IP", _ip, member=False),
    Function("ip", ("CIDR",), "IP", lambda value: opaque("IP", text_of(value).partition("/")[0])),
    Function("ip.isCanonical", ("string",), "bool", lambda text: text_of(_ip(text)) == text, member=False),
    Function("isUnspecified", ("IP",), "bool", lambda value: _address(value).is_unspecified),
    Function("isLoopback", ("IP",), "bool", lambda value: _address(value).is_loopback),
    Function("isLinkLocalUnicast", ("IP",), "bool", lambda value: _address(value).is_link_local),
    Function("isLinkLocalMulticast", ("IP",), "bool", _is_link_local_multicast),
    Function("isGlobalUnicast", ("IP",), "bool", _is_global_unicast),
    Function("isCIDR", ("string",), "bool", parses(_cidr), member=False),
    Function("cidr", ("string",), "CIDR", _cidr, member=False),
    Function("containsIP", ("CIDR", "string"), "bool", _contains_ip),
    Function("containsIP", ("CIDR", "IP"), "bool", _contains_ip),
    Function("containsCIDR", ("CIDR", "string"), "bool", _contains_cidr),
    Function("containsCIDR", ("CIDR", "CIDR"), "bool", _contains_cidr),
    Function("prefixLength", ("CIDR",), "int", lambda value: _network(value).prefixlen),
    Function("masked", ("CIDR",), "CIDR", lambda value: opaque("CIDR", str(_network(value)))),
    Function("family", ("IP",), "int", lambda value: _address(value).version),
]

COMPARISONS = [
    Function(name, (kind, kind), returns, call)
    for kind in ("Quantity", "Semver")
    for name, returns, call in (
        ("compareTo", "int", _compare),
        ("isLessThan", "bool", lambda left, right: _compare(left, right) < 0),
        ("isGreaterThan", "bool", lambda left, right: _compare(left, right) > 0),
    )
]

FORMATS = [Function(VALIDATE, ("string", "string"), "list<string>", check_named, member=False)]
FUNCTIONS = [*FORMATS, *URLS, *REGEX, *LISTS, *QUANTITIES, *ADDRESSES, *SEMVERS, *COMPARISONS]
