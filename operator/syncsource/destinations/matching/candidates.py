"""Keys as digests: the same text, the same digest, on every database."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from hashlib import blake2b
from typing import Any

from syncsource.destinations.dialect import Dialect
from syncsource.destinations.table import Candidate, Column
from syncsource.records.normalizing import NORMALIZERS, collapse
from syncsource.resource.fields import Key

_FORM = 1
"""Of digests: another one where the same key gives another."""
Digests = Sequence[str | None]
"""One for each row, which no other key has; None where the key is not complete: a field is missing, or nothing is left of it."""


def candidates(keys: Sequence[Key], columns: Sequence[Column]) -> tuple[Candidate, ...]:
    """The keys of a spec, strongest first. Empty where there is but one, which the database compares as it is."""
    if is_single(keys):
        return ()
    places = {column.field: place for place, column in enumerate(columns)}
    return tuple(_candidate(key, places, columns) for key in keys)


def readable(dialect: Dialect, column: Column, expression: str) -> str:
    """What a key's column holds, as the driver reads it: all digits of a FLOAT, whatever the field's type is."""
    return dialect.readable(replace(column, field_type="float") if column.found.base == "float" else column, expression)


def is_single(keys: Sequence[Key]) -> bool:
    """Whether there is but one key, which the database compares as it is."""
    return len(keys) == 1 and not keys[0].normalize


def digests(candidate: Candidate, columns: Sequence[Sequence[Any]]) -> Digests:
    """Of rows held by column: as the driver reads what the columns of the key hold, in their order."""
    texts = [_texts(values, name) for values, name in zip(columns, candidate.normalizers, strict=True)]
    of = candidate.id
    if len(texts) == 1:
        return [_digest(f"{of}{text}") if text else None for text in texts[0]]
    return [_digest(f"{of}{row}") if all(row) else None for row in zip(*texts, strict=True)]


def _candidate(key: Key, places: dict[str, int], columns: Sequence[Column]) -> Candidate:
    found, wanted = [places[name] for name in key.fields], key.normalize or {}
    normalizers = [wanted.get(name) for name in key.fields]
    named = [(columns[place].name, normalizer) for place, normalizer in zip(found, normalizers, strict=True)]
    return Candidate(_digest(f"{_FORM} {named}")[:16], tuple(found), tuple(normalizers))


def _digest(text: str) -> str:
    """22 characters."""
    return b2a_base64(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest(), newline=False)[:22].decode()


def _texts(values: Sequence[Any], normalizer: str | None) -> list[str]:
    made = [value if type(value) is str else _text(value) for value in values]
    if normalizer is None:
        return made
    step: Callable[[str], str] = NORMALIZERS[normalizer]
    return [collapse(step(text)) for text in made]


def _text(value: Any) -> str:
    return "" if value is None else _FORMS.get(type(value), str)(value)


def _number(value: Decimal | float) -> str:
    """Of equal numbers the same, however many zeros they were written with."""
    number = format(value if isinstance(value, Decimal) else Decimal(repr(value)), "f")
    short = number.rstrip("0").rstrip(".") if "." in number else number
    return "0" if short in ("-0", "") else short


_FORMS: dict[type, Callable[[Any], str]] = {Decimal: _number, float: _number, bytes: partial(bytes.hex), memoryview: memoryview.hex}
