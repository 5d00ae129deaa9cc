"""Whether the texts of a cursor column follow one another as what they mean.

The database compares texts by code point, the cursor is kept by what it means. Where both differ, as with 9 and 10 or with
two time zones, a read from the cursor would miss rows: that is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from syncsource.errors import SchemaMismatch
from syncsource.records.cursors import INSTANT, NUMBER, TEXT, meaning

_WIDTH = 8
"""Digits of one length that stand for themselves, as in 20260131."""
_ZEROS = str.maketrans("123456789", "0" * 9)
"""Texts that differ in digits only have one shape: one of them is looked at."""
_FRACTION = re.compile(r"\.\d+")


class TextOrder:
    """Looks at all cursors of one read. ``column``: how messages name it."""

    def __init__(self, column: str, since: str | None) -> None:
        self._column = column
        self._numbers = False
        self._plain = False
        self._shapes: set[str] = set()
        self._examples: dict[str, str] = {}
        if since is not None and meaning(since)[0] != NUMBER:
            self._text(since)

    def check(self, values: Iterable[Any]) -> None:
        """SchemaMismatch (CursorUnordered) where they, with those before, do not follow one another."""
        found = list(values)
        self._numbers = self._numbers or any(kind in (int, float) for kind in set(map(type, found)))
        if not self._plain:
            shapes = {value.translate(_ZEROS): value for value in found if type(value) is str}
            for shape in shapes.keys() - self._shapes:
                self._text(shapes[shape])
            self._shapes |= shapes.keys()
        self._judge()

    def _text(self, text: str) -> None:
        kind = meaning(text)[0]
        if kind not in (NUMBER, INSTANT):
            self._plain = self._plain or kind == TEXT
            return
        form = _FRACTION.sub("", text).translate(_ZEROS)
        if kind == NUMBER and not (text.isdigit() and len(text) >= _WIDTH):
            form = ""
        self._examples.setdefault(form, text)

    def _judge(self) -> None:
        """Plain texts are after numbers in meaning, and before instants: the cursor is one of these, and what the database has after it is
        read again."""
        if self._numbers and (self._plain or self._examples):
            raise self._unordered("numbers and texts")
        if not self._plain and "" in self._examples:
            raise self._unordered(f"numbers as texts such as {self._examples['']!r}")
        if not self._plain and len(self._examples) > 1:
            raise self._unordered("texts of several forms such as " + " and ".join(map(repr, sorted(self._examples.values())[:2])))

    def _unordered(self, what: str) -> SchemaMismatch:
        return SchemaMismatch(
            f"spec.incremental.cursor: {self._column} holds {what}, which the database orders otherwise than they mean: give the cursor a "
            f"type of numbers or instants in spec.source.sql.query, as in CAST(… AS …)",
            reason="CursorUnordered",
        )


def floor_of(text: str) -> str:
    """No text of the same or a later instant in the same form is below it by code point: fraction and zone are left out."""
    return text[:19] if len(text) > 19 and meaning(text)[0] == INSTANT else text
