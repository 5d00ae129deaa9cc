"""Objects that name a member twice (RFC 8259, section 4: what is read of such is unpredictable). The decoder keeps the last in silence.

Reading everything twice would cost more than it is worth, so names are counted: one is followed by a colon, which in the text is two
characters, and in what was decoded is a member. Numbers that agree are proof for any upstream that writes its JSON in one way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

from syncsource.records.batch import Broken
from syncsource.sources.rest.reasons import DUPLICATE_KEYS

_encode = msgspec.json.Encoder(decimal_format="number").encode
_TIGHT, _SPACED = b'":', b'" :'


class Twice(dict[str, Any]):
    """An object that named a member twice."""


def marked(content: bytes, body: Any) -> Any:
    """The same JSON with a Twice for each object that names a member twice; None where there is none. ``body``: decoded from ``content``.

    Its numbers are texts: it is for looking, not for reading.
    """
    return _parsed(content) if looks_twice(content, body) else None


def looks_twice(content: bytes, body: Any) -> bool:
    """Whether more names are written than were kept. ``body``: decoded from ``content``."""
    written = content.count(_TIGHT)
    if written == _members([body]):
        return False
    encoded = _encode(body).count(_TIGHT)
    if written < encoded:
        written += content.count(_SPACED)
    return written > encoded


def set_aside(records: list[Any], twins: list[Any]) -> list[Any]:
    """The records, each whose twin is or holds a Twice replaced by a Broken."""
    return [_broken(record) if any(True for _ in twice_in(twin)) else record for record, twin in zip(records, twins, strict=True)]


def twice_in(value: Any) -> Iterator[Twice]:
    """Each Twice in a JSON value."""
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, Twice):
            yield value
        if isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value


def _members(rows: Sequence[Any]) -> int:
    """Members in all, column by column as far as the first row knows them: fewer than there are where rows differ."""
    kinds = set(map(type, rows))
    if kinds == {list}:
        return _members(list(chain.from_iterable(rows)))
    if kinds != {dict}:
        return 0
    nested = [name for name, value in rows[0].items() if isinstance(value, dict | list)]
    try:
        return sum(map(len, rows)) + sum(_members(list(map(itemgetter(name), rows))) for name in nested)
    except KeyError:
        return -1


def _parsed(content: bytes) -> Any:
    """Slow and exact."""

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        return found if len(found) == len(members) else Twice(found)

    try:
        body = json.loads(content, object_pairs_hook=pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return body if any(True for _ in twice_in(body)) else None


def _broken(record: Any) -> Broken:
    return Broken(DUPLICATE_KEYS, "the record or a part of it names a member twice; of each, the last value is kept here", record)
