"""Objects that name a member twice (RFC 8259, section 4: what is read of such is unpredictable). The decoder keeps the last in silence.

Reading everything twice would cost more than it is worth, so keys are counted: a name is followed by a colon, which in the text is two
characters, and in what was decoded is a member. Numbers that agree are proof for any upstream that writes its JSON in one way.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode
_TIGHT, _SPACED = b'":', b'" :'


def duplicate(content: bytes, body: Any) -> str | None:
    """The name of a member that an object in ``content`` has twice; None where all are different. ``body``: decoded from it."""
    written = content.count(_TIGHT)
    if written == _members([body]):
        return None
    encoded = _encode(body).count(_TIGHT)
    if written < encoded:
        written += content.count(_SPACED)
    return None if written <= encoded else _found(content)


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


def _found(content: bytes) -> str | None:
    """Slow and exact."""
    found: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in members]
        if len(set(names)) < len(names):
            found.append(next(name for name in names if names.count(name) > 1))

    try:
        json.loads(content, object_pairs_hook=pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    return found[0] if found else None
