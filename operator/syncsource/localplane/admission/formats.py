"""The string formats that an API server checks (`k8s.io/kube-openapi/pkg/validation/strfmt`); others are ignored."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800,
}  # fmt: skip
_LONG_UNITS = {
    "nano": "ns", "micro": "us", "milli": "ms", "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h",
    "day": "d", "wk": "w", "week": "w",
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-zµ]+)")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[tT ][0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?([zZ]|[+-][0-9]{2}:?[0-9]{2})")
_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_HOSTNAME = re.compile(r"(?i)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*\.?")
_MAC = re.compile(r"(?i)([0-9a-f]{2}[:-]){5}[0-9a-f]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def parse_duration(text: str) -> dt.timedelta:
    """Read `5m`, `1d1h` or `1.5 hours`; raises ValueError."""
    sign, rest = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    if rest == "0":
        return dt.timedelta()
    seconds, position = 0.0, 0
    while position < len(rest):
        part = _PART.match(rest, position)
        if part is None:
            raise ValueError(f"invalid duration {text!r}")
        seconds += float(part[1]) * _UNITS[_unit(part[2])]
        position = part.end()
    if not rest:
        raise ValueError("empty duration")
    return sign * dt.timedelta(seconds=seconds)


def _unit(name: str) -> str:
    unit = name if name in _UNITS else _LONG_UNITS.get(name.lower().removesuffix("s"), "")
    if not unit:
        raise ValueError(f"unknown unit {name!r}")
    return unit


def parse_date_time(text: str) -> dt.datetime:
    """Read an RFC 3339 instant; raises ValueError."""
    if not _DATE_TIME.fullmatch(text):
        raise ValueError(f"invalid date-time {text!r}")
    return dt.datetime.fromisoformat(text.upper().replace(" ", "T").replace(",", "."))


def parse_date(text: str) -> dt.datetime:
    """Read a full-date as midnight UTC; raises ValueError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"invalid date {text!r}")
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def _base64(text: str) -> None:
    if base64.b64decode(text, validate=True) is None:
        raise ValueError(text)


def _uri(text: str) -> None:
    if not urlsplit(text).scheme and not text.startswith("/"):
        raise ValueError(text)


def _matching(pattern: re.Pattern[str]) -> Callable[[str], object]:
    def parse(text: str) -> None:
        if not pattern.fullmatch(text):
            raise ValueError(text)

    return parse


_FORMATS: dict[str, Callable[[str], object]] = {
    "duration": parse_duration,
    "date-time": parse_date_time,
    "datetime": parse_date_time,
    "date": parse_date,
    "byte": _base64,
    "uri": _uri,
    "ipv4": ipaddress.IPv4Address,
    "ipv6": ipaddress.IPv6Address,
    "cidr": ipaddress.ip_interface,
    "hostname": _matching(_HOSTNAME),
    "email": _matching(_EMAIL),
    "mac": _matching(_MAC),
    "uuid": _matching(_UUID),
    "uuid3": _matching(_UUID),
    "uuid4": _matching(_UUID),
    "uuid5": _matching(_UUID),
}


def conforms(text: str, name: str) -> bool:
    """Whether `text` is of the format; formats that an API server does not know hold for any text."""
    parse = _FORMATS.get(name)
    if parse is None:
        return True
    try:
        parse(text)
    except (ValueError, OverflowError, binascii.Error):
        return False
    return True
