"""Normalisers: what is done to a text before its type is looked at. Each is idempotent."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from syncsource.records.columns import Bulk

_NO_DIGITS = re.compile(r"[^0-9]+")


def normalizer(names: Sequence[str]) -> Bulk:
    """A function over a column that applies the named normalisers in their order. Only texts change; one of which nothing is left is None."""
    return partial(_normalized, [NORMALIZERS[name] for name in names])


def collapse(text: str) -> str:
    """Every run of white space is one space; none at the ends."""
    return " ".join(text.split())


def fold(text: str) -> str:
    """Without case and accents: texts that people take for the same are equal (Unicode's compatibility caseless match)."""
    if text.isascii():
        return text.lower()
    folded, before = _folded(text), text
    while folded != before:  # a fold can make a character that folds again
        folded, before = _folded(folded), folded
    return folded


def digits(text: str) -> str:
    """The decimal digits, those of other scripts as 0 to 9."""
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(one, "")) for one in text)
    return _NO_DIGITS.sub("", text)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFKC", "".join(one for one in decomposed if not unicodedata.combining(one)))


NORMALIZERS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "collapse": collapse,
    "lower": str.lower,
    "upper": str.upper,
    "fold": fold,
    "digits": digits,
}


def _normalized(steps: list[Callable[[str], str]], values: list[Any]) -> list[Any]:
    if set(map(type, values)) != {str}:
        return [_one(steps, value) for value in values]
    for step in steps:
        values = list(map(step, values))
    return [value or None for value in values] if "" in values else values


def _one(steps: list[Callable[[str], str]], value: Any) -> Any:
    if not isinstance(value, str):
        return value
    for step in steps:
        value = step(value)
    return value or None
