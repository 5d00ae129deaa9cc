"""The filter's grammar: terms that must all match.

    text            anywhere in the row, upper and lower case alike
    status:fail     a regular expression in one column: ns, name, status, message, schedule, source, table
    !ns:^team-2     a term with ! must not match
    label:app       a label that is there, or label:app=shop: with that value

Quotes keep spaces together: message:"no route".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from syncsource_tui.core.row import Row

COLUMNS: dict[str, Callable[[Row], str]] = {
    "ns": lambda row: row.namespace,
    "namespace": lambda row: row.namespace,
    "name": lambda row: row.name,
    "status": lambda row: row.state.value.word,
    "message": lambda row: row.message,
    "schedule": lambda row: row.schedule,
    "source": lambda row: row.source,
    "table": lambda row: row.table,
}
_LABEL = "label"
Test = Callable[[Row], bool]


class QueryError(ValueError):
    """A filter that can't be read; the message says which term and why."""


@dataclass(frozen=True, slots=True)
class Query:
    """Made by :func:`parse`."""

    text: str
    tests: tuple[Test, ...]

    def matches(self, row: Row) -> bool:
        """Whether every term does."""
        return all(test(row) for test in self.tests)


EVERYTHING = Query("", ())


def parse(text: str) -> Query:
    """The filter of a text. Raises QueryError."""
    return Query(text.strip(), tuple(map(_test, _terms(text))))


def _terms(text: str) -> list[str]:
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split, reader.escape, reader.commenters = True, "", ""
    try:
        return list(reader)
    except ValueError:
        raise QueryError('a quote is open: write message:"no route"') from None


def _test(term: str) -> Test:
    negative, term = term.startswith("!") and len(term) > 1, term.removeprefix("!") or term
    test = _positive(term)
    return (lambda row: not test(row)) if negative else test


def _positive(term: str) -> Test:
    column, colon, rest = term.partition(":")
    if colon and column.lower() == _LABEL:
        return _label(rest)
    if colon and column.lower() in COLUMNS:
        return _pattern(COLUMNS[column.lower()], rest)
    needle = term.lower()
    return lambda row: needle in row.haystack


def _pattern(value: Callable[[Row], str], pattern: str) -> Test:
    try:
        compiled = re.compile(pattern, re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise QueryError(f"{pattern!r} is not a regular expression: {error}") from None
    return lambda row: compiled.search(value(row)) is not None


def _label(wanted: str) -> Test:
    name, equals, value = wanted.partition("=")
    if not name:
        raise QueryError("label: needs a name: label:app or label:app=shop")
    return lambda row: any(key == name and (not equals or held == value) for key, held in row.labels)
