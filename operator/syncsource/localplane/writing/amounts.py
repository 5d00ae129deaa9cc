"""Checks of numbers, ports, percentages and addresses, worded as the real server words them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from syncsource.localplane.admission import cause
from syncsource.localplane.admission.cause import Cause

PORT_RANGE = "must be between 1 and 65535, inclusive"
_PERCENT = re.compile(r"[0-9]+%")
_BAD_PERCENT = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"


def port_number(path: str, value: int) -> Iterator[Cause]:
    if not 1 <= value <= 65535:
        yield cause.invalid(path, value, PORT_RANGE)


def port_name(name: str) -> Iterator[str]:
    """What ports may be called."""
    if len(name) > 15:
        yield "must be no more than 15 characters"
    if not re.fullmatch(r"[-a-z0-9]+", name):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search(r"[a-z]", name):
        yield "must contain at least one letter (a-z)"
    if "--" in name:
        yield "must not contain consecutive hyphens"
    if name[:1] == "-" or name[-1:] == "-":
        yield "must not begin or end with a hyphen"


def port_or_name(path: str, value: int | str) -> Iterator[Cause]:
    if isinstance(value, int):
        yield from port_number(path, value)
    else:
        yield from (cause.invalid(path, value, text) for text in port_name(value))


def not_negative(value: Mapping[str, Any], path: str, *names: str) -> Iterator[Cause]:
    """The named fields are 0 or more, where they are given."""
    for name in names:
        found = value.get(name)
        if found is not None and found < 0:
            yield cause.invalid(f"{path}.{name}" if path else name, found, "must be greater than or equal to 0")


def positive_or_percent(path: str, value: Any) -> Iterator[Cause]:
    if isinstance(value, str):
        if not _PERCENT.fullmatch(value):
            yield cause.invalid(path, value, _BAD_PERCENT)
        elif int(value[:-1]) > 100:
            yield cause.invalid(path, value, "must not be greater than 100%")
    elif value is not None and value < 0:
        yield cause.invalid(path, value, "must be greater than or equal to 0")


def address(path: str, text: str) -> Iterator[Cause]:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        yield cause.invalid(path, text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")


def network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a CIDR names, or None."""
    try:
        return ipaddress.ip_network(text, strict=False) if "/" in text else None
    except ValueError:
        return None
