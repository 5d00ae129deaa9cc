"""Columns as COPY's text format takes them (PostgreSQL's documentation of COPY, "Text Format"), each in a few steps for all of it: joining
texts is many times faster than formatting values one by one. psycopg's own writer takes what is not among the plain kinds of values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from psycopg import Copy

from syncsource.records.columns import Written

_ROWS = 2000
"""Rows that are made one text: wide ones must not be held twice."""
_NONE = type(None)
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def send(copy: Copy, columns: Sequence[Sequence[Any]]) -> None:
    """Writes rows, held by column, of which there is at least one. Raises what psycopg does, and UnicodeError."""
    for start in range(0, len(columns[0]), _ROWS):
        part = [column[start : start + _ROWS] for column in columns]
        texts = [_texts(column) for column in part]
        if None in texts:
            for row in zip(*part, strict=True):
                copy.write_row(row)
        else:
            copy.write("\n".join(map("\t".join, zip(*texts, strict=True))) + "\n")


def _texts(values: Sequence[Any]) -> Sequence[str] | None:
    """The column as fields of COPY; None where a kind of value in it is not known here."""
    if isinstance(values, Written):
        return values.texts
    try:
        joined = "\0".join(values)
    except TypeError:
        return _formed(values)
    return _escaped(values, joined)


def _formed(values: Sequence[Any]) -> Sequence[str] | None:
    kinds = set(map(type, values))
    if _NONE not in kinds:
        form = _FORMS.get(kinds.pop()) if len(kinds) == 1 else None
        return None if form is None else list(form(values))
    present = _texts([value for value in values if value is not None])
    if present is None:
        return None
    found = iter(present)
    return ["\\N" if value is None else next(found) for value in values]


def _escaped(values: Sequence[str], joined: str) -> Sequence[str] | None:
    """``joined``: with NUL, which no text of PostgreSQL holds."""
    if not any(mark in joined for mark, _ in _ESCAPES):
        return values
    for mark, escape in _ESCAPES:
        joined = joined.replace(mark, escape)
    made = joined.split("\0")
    return made if len(made) == len(values) else None


def _mapped(form: Callable[[Any], str]) -> Callable[[Sequence[Any]], Iterable[str]]:
    return lambda values: map(form, values)


_FORMS: dict[type, Callable[[Sequence[Any]], Iterable[str]]] = {
    int: _mapped(str),
    bool: _mapped({True: "t", False: "f"}.__getitem__),
    float: _mapped(repr),
    Decimal: _mapped(str),
    date: _mapped(date.isoformat),
}
