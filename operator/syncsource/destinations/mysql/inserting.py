"""Columns as the literals of multi-row inserts, each in a few steps for all of it: joining texts is many times faster than escaping values one
by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pymysql

from syncsource.records.columns import Written

_ROWS = 1000
"""Rows that are made one text."""
_STATEMENT = 4 * 1024 * 1024
"""Characters of a statement, unless a row has more."""
_ROOM = 1024
"""Bytes of a packet that are not rows."""
_NONE = type(None)


def send(driver: Any, insert: str, columns: Sequence[Sequence[Any]]) -> None:
    """Inserts rows, held by column, of which there is at least one. Raises what PyMySQL does, and UnicodeError."""
    for start in range(0, len(columns[0]), _ROWS):
        texts = [_literals(column[start : start + _ROWS]) for column in columns]
        for rows in _statements(list(map(",".join, zip(*texts, strict=True))), min(_STATEMENT, driver.longest // 4)):
            _execute(driver, insert, rows)


def _statements(rows: list[str], most: int) -> Iterator[list[str]]:
    """The rows of each statement."""
    begin = size = 0
    for place, row in enumerate(rows):
        if size and size + len(row) > most:
            yield rows[begin:place]
            begin, size = place, 0
        size += len(row) + 3
    yield rows[begin:]


def _execute(driver: Any, insert: str, rows: list[str]) -> None:
    """As bytes: PyMySQL lets what is no text pass as some other bytes."""
    statement = f"{insert}({'),('.join(rows)})".encode()
    if len(statement) + _ROOM > driver.longest:
        raise pymysql.err.DataError(1153, f"a row of {len(statement):,} bytes, and the server's max_allowed_packet is {driver.longest:,}")
    with driver.cursor() as cursor:
        cursor.execute(statement)


def _literals(values: Sequence[Any]) -> Sequence[str]:
    if isinstance(values, Written):
        return values.texts
    kinds = set(map(type, values))
    if _NONE in kinds:
        found = iter(_literals([value for value in values if value is not None]))
        return ["NULL" if value is None else next(found) for value in values]
    if len(kinds) == 1:
        return list(_FORMS[kinds.pop()](values))
    return [text for value in values for text in _FORMS[type(value)]([value])]


def _texts(values: Sequence[str]) -> Iterable[str]:
    """NUL separates them meanwhile, unless one has it itself."""
    joined = "\0".join(values)
    if joined.count("\0") != len(values) - 1:
        return [text for value in values for text in ([_text(value)] if "\0" in value else _texts([value]))]
    return f"'{_escaped(joined).replace(chr(0), chr(39) + chr(0) + chr(39))}'".split("\0")


def _text(value: str) -> str:
    return "'" + _escaped(value).replace("\0", "\\0") + "'"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


def _float(value: float) -> str:
    """With an exponent, it is no decimal on the way."""
    text = repr(value)
    return text if "e" in text else f"{text}e0"


def _mapped(form: Callable[[Any], str]) -> Callable[[Sequence[Any]], Iterable[str]]:
    return lambda values: map(form, values)


_FORMS: dict[type, Callable[[Sequence[Any]], Iterable[str]]] = {
    str: _texts,
    int: _mapped(str),
    bool: _mapped({True: "1", False: "0"}.__getitem__),
    float: _mapped(_float),
    Decimal: _mapped(lambda value: format(value, "f")),
    date: _mapped(lambda value: f"'{value.isoformat()}'"),
    bytes: _mapped(lambda value: f"x'{value.hex()}'"),
    _NONE: lambda values: ["NULL"] * len(values),
}
