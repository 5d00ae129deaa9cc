"""Times and intervals, which PostgreSQL reads from texts of many forms: it rounds some without a word, and takes others for what nobody meant."""

from __future__ import annotations

import re
from collections.abc import Callable

from syncsource.destinations.table import Found
from syncsource.destinations.values import Codec, bad

_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.(?P<decimals>\d+))?)?( ?[AP]M)?(?P<zone>Z|[+-]\d\d(:?\d\d)?)?", re.ASCII | re.IGNORECASE)
_SPAN = re.compile(r"(?=.*\d)[\w\s.:,+@-]*|[+-]?infinity", re.ASCII | re.IGNORECASE)
"""The server takes $1 for an interval, too."""
_FRACTION = re.compile(r"[.,](\d+)", re.ASCII)
_TINY = re.compile(r"\d\s*(m(illi)?s|us|micros)", re.ASCII | re.IGNORECASE)
"""Units of less than a second."""
_EVERY_UNIT = 0x7FFF


def _clock(found: Found) -> Codec:
    """Times that mean the same each day: not the server's clock by the name of now, no zone that has a summer."""
    digits = 6 if found.size == -1 else found.size

    def convert(value: str) -> str:
        match = _CLOCK.fullmatch(value.strip())
        if match is None or (match["zone"] and found.base == "time"):
            raise bad(value, f"is not a time that {found.type} holds, such as 12:00:00{'+02' * (found.base == 'timetz')}")
        if (match["decimals"] or "")[digits:].strip("0"):
            raise bad(value, f"has more decimals of a second than {found.type} holds")
        return value

    return Codec(None, convert)


def _span(found: Found) -> Codec | None:
    """None where the column holds some units only: the server cuts the others."""
    digits, units = min(found.size & 0xFFFF, 6), found.size >> 16 & _EVERY_UNIT
    if units != _EVERY_UNIT:
        return None

    def convert(value: str) -> str:
        if not _SPAN.fullmatch(value):
            raise bad(value, "is not an interval such as 1 day 02:00:00")
        if any(decimals[digits:].strip("0") for decimals in _FRACTION.findall(value)) or (digits < 6 and _TINY.search(value)):
            raise bad(value, f"has more decimals than {found.type} holds")
        return value

    return Codec(None, convert)


CODECS: dict[str, Callable[[Found], Codec | None]] = {"time": _clock, "timetz": _clock, "interval": _span}
"""By the type's internal name, how texts go into it; None where none do."""
