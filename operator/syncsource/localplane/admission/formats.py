"""The string formats that an API server checks (`k8s.io/kube-openapi/pkg/validation/strfmt`); others are ignored."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from syncsource.localplane.admission.objectmeta import dns_label, dns_subdomain
from syncsource.localplane.admission.patterns import compile_pattern

_UNITS = {
    "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800,
}  # fmt: skip
_LONG_UNITS = {
    "nano": "ns", "micro": "us", "milli": "ms", "sec": "s", "second": "s", "min": "m", "minute": "m", "hr": "h", "hour": "h",
    "day": "d", "wk": "w", "week": "w",
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-zµ]+)")
_DATE_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[tT][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([zZ]|[+-][0-9]{2}:[0-9]{2})")
_HEX = "[0-9a-fA-F]"


def _uuid(third: str = f"{_HEX}{{4}}", fourth: str = f"{_HEX}{{4}}") -> re.Pattern[str]:
    return re.compile(rf"{_HEX}{{8}}-?{_HEX}{{4}}-?{third}-?{fourth}-?{_HEX}{{12}}")


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
    return dt.datetime.fromisoformat(text.replace("0000", "0001", 1) if text.startswith("0000") else text).replace(tzinfo=dt.UTC)


def _base64(text: str) -> None:
    if not text or base64.b64decode(text, validate=True) is None:
        raise ValueError(text)


def _uri(text: str) -> None:
    if not urlsplit(text).scheme and not text.startswith("/"):
        raise ValueError(text)
    if re.search(r"[\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})", text) or " " in urlsplit(text).netloc:
        raise ValueError(text)


def _email(text: str) -> None:
    named = re.fullmatch(r'\s*(?:(?:"[^"]*"|[^<>@"]*)<([^<>]+)>|([^<>]+?))\s*', text)
    if named is None or not re.fullmatch(r"[^@\s]+@[^@\s]+", named[1] or named[2]):
        raise ValueError(text)


def _ipv4(text: str) -> None:
    number = re.fullmatch(r"(?:::ffff:)?((?:[0-9]{1,3}\.){3}[0-9]{1,3})", text, re.IGNORECASE)
    if number is None or any(int(part) > 255 for part in number[1].split(".")):
        raise ValueError(text)


def _ipv6(text: str) -> None:
    if "%" in text or ipaddress.IPv6Address(text) is None:
        raise ValueError(text)


def _cidr(text: str) -> None:
    if "/" not in text or ipaddress.ip_interface(text) is None:
        raise ValueError(text)


@cache
def _host_names() -> Any:
    """Compiled at its first use: that takes a quarter of a second."""
    return compile_pattern(
        r"^([a-zA-Z0-9\p{S}\p{L}]((-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?)"
        r"|([a-zA-Z0-9\p{S}\p{L}](([a-zA-Z0-9-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?)(\.)){1,}([a-zA-Z\p{L}]){2,63})$"
    )


def _hostname(text: str) -> None:
    if not _host_names().search(text):
        raise ValueError(text)


def _isbn10(text: str) -> None:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        raise ValueError(text)
    if sum((10 - place) * (10 if digit == "X" else int(digit)) for place, digit in enumerate(digits)) % 11:
        raise ValueError(text)


def _isbn13(text: str) -> None:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{13}", digits) or sum((3 if place % 2 else 1) * int(digit) for place, digit in enumerate(digits)) % 10:
        raise ValueError(text)


def _isbn(text: str) -> None:
    try:
        _isbn10(text)
    except ValueError:
        _isbn13(text)


def _credit_card(text: str) -> None:
    digits = re.sub(r"[^0-9]+", "", text)
    doubled = (int(digit) * 2 if place % 2 else int(digit) for place, digit in enumerate(reversed(digits)))
    if not re.fullmatch(_CARDS, digits) or sum(number - 9 if number > 9 else number for number in doubled) % 10:
        raise ValueError(text)


_CARDS = (
    r"(?:4[0-9]{12}(?:[0-9]{3})?|5[1-5][0-9]{14}|6(?:011|5[0-9][0-9])[0-9]{12}|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}"
    r"|(?:2131|1800|35\d{3})\d{11}|6[27][0-9]{14})"
)
_MAC = re.compile(
    rf"{_HEX}{{2}}([:-]){_HEX}{{2}}(?:\1{_HEX}{{2}}){{4}}(?:(?:\1{_HEX}{{2}}){{2}}|(?:\1{_HEX}{{2}}){{14}})?"
    rf"|{_HEX}{{4}}(?:\.{_HEX}{{4}}){{2}}(?:\.{_HEX}{{4}}|(?:\.{_HEX}{{4}}){{7}})?"
)
_BYTE = r"(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"


def _name(check: Callable[[str], Iterator[str]]) -> Callable[[str], object]:
    def parse(text: str) -> None:
        if next(check(text), None) is not None:
            raise ValueError(text)

    return parse


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
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "cidr": _cidr,
    "hostname": _hostname,
    "email": _email,
    "mac": _matching(_MAC),
    "uuid": _matching(_uuid()),
    "uuid3": _matching(_uuid(f"3{_HEX}{{3}}")),
    "uuid4": _matching(_uuid(f"4{_HEX}{{3}}", f"[89abAB]{_HEX}{{3}}")),
    "uuid5": _matching(_uuid(f"5{_HEX}{{3}}", f"[89abAB]{_HEX}{{3}}")),
    "bsonobjectid": _matching(re.compile(f"{_HEX}{{24}}")),
    "isbn": _isbn,
    "isbn10": _isbn10,
    "isbn13": _isbn13,
    "creditcard": _credit_card,
    "ssn": _matching(re.compile(r"\d{3}[- ]\d{2}[- ]\d{4}")),
    "hexcolor": _matching(re.compile(r"#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")),
    "rgbcolor": _matching(re.compile(rf"rgb\(\s*{_BYTE}\s*,\s*{_BYTE}\s*,\s*{_BYTE}\s*\)")),
    "k8s-short-name": _name(dns_label),
    "k8s-long-name": _name(dns_subdomain),
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
