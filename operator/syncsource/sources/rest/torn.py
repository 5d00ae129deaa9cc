"""Texts with half of a surrogate pair, which JSON can write (RFC 8259, section 8.2) and nobody can keep: the record is set aside, not the page."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from syncsource.records.batch import Broken

TORN_TEXT = "TornText"
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[dD][89a-fA-F][0-9a-fA-F]{2}|.)", re.DOTALL)
"""An escape: a pair, half of one, or any other."""
_HALF, _STAND_IN, _KEPT = len(rb"\ud800"), rb"\ufffd", "\ufffd".encode()
_encode = msgspec.json.Encoder(decimal_format="number").encode


def twins(content: bytes, decode: Callable[[bytes], Any]) -> tuple[Any, Any] | None:
    """The body with U+FFFD for each half, and once more with a question mark, so that what they are part of differs; None where there is
    no half. Raises what ``decode`` raises."""
    one = _ESCAPE.sub(lambda found: _STAND_IN if len(found[0]) == _HALF else found[0], content)
    other = _ESCAPE.sub(lambda found: b"?" if len(found[0]) == _HALF else found[0], content)
    return (decode(one), decode(other)) if one != content else None


def set_aside(records: list[Any], others: list[Any]) -> list[Any]:
    """The records of the first twin, each that the second has otherwise replaced by a Broken."""
    return [_broken(one) if one != other else one for one, other in zip(records, others, strict=True)]


def halves_in(one: Any, other: Any) -> int:
    """How many halves a value had. ``one`` and ``other``: it in the twins."""
    return _encode(one).count(_KEPT) - _encode(other).count(_KEPT)


def _broken(record: Any) -> Broken:
    return Broken(TORN_TEXT, "a text in the record holds half of a surrogate pair, which is no character; here it is U+FFFD", record)
