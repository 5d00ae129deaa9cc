"""Numbers in texts that are written with a decimal comma or with separators between thousands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from syncsource.errors import outside_text
from syncsource.records.columns import FieldType, Unusual

_SPACES = " \u00a0\u2009\u202f"
"""A space, and those that typesetters put between thousands."""


def separated(base: FieldType, decimal: str | None, thousands: str | None) -> FieldType:
    """A type of numbers whose texts are written with these separators; numbers that are no texts go as they are."""
    numeral = _Numeral(decimal or ".", thousands)
    return FieldType(base.name, partial(_converted, base, numeral), partial(_column, base, numeral))


class _Numeral:
    """How numbers are written. Groups have three digits, but the first; without any separator is right, too."""

    def __init__(self, decimal: str, thousands: str | None) -> None:
        self._decimal, self._thousands = decimal, _SPACES if thousands == " " else thousands or ""
        groups = rf"[0-9]{{1,3}}(?:[{re.escape(self._thousands)}][0-9]{{3}})+|" if thousands else ""
        numeral = rf"[ \t]*+[+-]?(?:{groups}[0-9]*)(?:{re.escape(decimal)}[0-9]*)?(?:[eE][+-]?[0-9]+)?[ \t]*+"
        self._one = re.compile(numeral)
        self._all = re.compile(rf"(?>{numeral}\n)*+")
        self._plain = str.maketrans(decimal, ".", self._thousands)

    def plain(self, text: str) -> str | None:
        """The number with a point and nothing else; None where it is not written so."""
        return text.translate(self._plain) if self._one.fullmatch(text) else None

    def all_plain(self, texts: list[str]) -> list[str]:
        """Of a column, in three steps for all of it. Unusual where one is not written so."""
        joined = "\n".join(texts) + "\n"
        if joined.count("\n") != len(texts) or not self._all.fullmatch(joined):
            raise Unusual
        return joined.translate(self._plain).split("\n")[:-1]


def _converted(base: FieldType, numeral: _Numeral, value: Any) -> Any:
    if not isinstance(value, str):
        return base.convert(value)
    plain = numeral.plain(value)
    if plain is None:
        raise ValueError(f"{outside_text(value, 60)!r} is not a number with the separators that the field declares")
    return base.convert(plain)


def _column(base: FieldType, numeral: _Numeral, values: list[Any]) -> Sequence[Any]:
    kinds = set(map(type, values))
    if kinds and kinds != {str}:
        raise Unusual
    return base.bulk(numeral.all_plain(values))
