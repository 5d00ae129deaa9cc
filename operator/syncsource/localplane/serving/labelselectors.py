"""Label selectors as text (`k8s.io/apimachinery/pkg/labels`): read word by word, refused in the words of the real server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from syncsource.localplane.admission.cause import quoted
from syncsource.localplane.admission.objectmeta import label_value, qualified_name
from syncsource.localplane.errors import bad_request

Labels = Mapping[str, str]
Requirement = Callable[[Labels], bool]
_WORD = re.compile(r"\s*(?:(?P<symbol>==|!=|[=!(),<>])|(?P<word>[^\s=!(),<>]+))")
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
_EXPECTED = "in, notin, =, ==, !=, gt, lt"
_END = ""


class _Words:
    """What is left of a selector."""

    def __init__(self, text: str) -> None:
        self._left = [found["symbol"] or found["word"] for found in _WORD.finditer(text)]
        self._left.reverse()

    def next(self) -> str:
        return self._left.pop() if self._left else _END

    def peek(self) -> str:
        return self._left[-1] if self._left else _END


def parse_labels(text: str) -> tuple[Requirement, ...]:
    """All of which hold for what is selected. Raises the 400 of a selector that can't be read."""
    return tuple(_requirements(_Words(text)))


def _requirements(words: _Words) -> Iterator[Requirement]:
    while words.peek() != _END:
        if not (words.peek() == "!" or _is_word(words.peek())):
            raise bad_request(f"found '{words.peek()}', expected: !, identifier, or 'end of string'")
        yield _requirement(words)
        after = words.next()
        if after == _END:
            return
        if after != ",":
            raise bad_request(f"found '{after}', expected: ',' or 'end of string'")
        if not (words.peek() == "!" or _is_word(words.peek())):
            raise bad_request(f"found '{words.peek()}', expected: identifier after ','")


def _is_word(text: str) -> bool:
    return bool(text) and text[0] not in "=!(),<>"


def _requirement(words: _Words) -> Requirement:
    is_absent = words.peek() == "!"
    if is_absent:
        words.next()
    key = words.next()
    if not _is_word(key):
        raise _unreadable(f"found '{key}', expected: identifier")
    for why in qualified_name(key):
        raise _unreadable(f"<nil>: Invalid value: {quoted(key)}: {why}")
    if is_absent or words.peek() in {_END, ","}:
        return lambda labels: (key in labels) is not is_absent
    operator = words.next()
    if operator not in _OPERATORS:
        raise _unreadable(f"found '{operator}', expected: {_EXPECTED}")
    values = _list(words) if operator in {"in", "notin"} else {_single(words)}
    return _comparison(key, operator, values)


def _list(words: _Words) -> set[str]:
    opened = words.next()
    if opened != "(":
        raise _unreadable(f"found '{opened}' expected: '('")
    values = {""} if words.peek() in {",", ")"} else set()
    while words.peek() != ")":
        found = words.next()
        if _is_word(found):
            values.add(found)
            if words.peek() not in {",", ")"}:
                raise _unreadable(f"found '{words.peek()}', expected: ',' or ')'")
        elif found != ",":
            raise _unreadable(f"found '{found}', expected: ',', ')' or identifier")
        elif words.peek() in {",", ")"}:
            values.add("")
    words.next()
    return values


def _single(words: _Words) -> str:
    if words.peek() in {_END, ","}:
        return ""
    found = words.next()
    if not _is_word(found):
        raise _unreadable(f"found '{found}', expected: identifier")
    return found


def _comparison(key: str, operator: str, values: set[str]) -> Requirement:
    for index, value in enumerate(sorted(values)):
        for why in label_value(value):
            raise _unreadable(f"values[{index}][{key}]: Invalid value: {quoted(value)}: {why}")
    match operator:
        case "in" | "=" | "==":
            return lambda labels: labels.get(key) in values
        case "notin" | "!=":
            return lambda labels: labels.get(key) not in values
    (text,) = values
    bound = _integer(text)
    if bound is None:
        raise _unreadable(f"values[0]: Invalid value: {quoted(text)}: for 'Gt', 'Lt' operators, the value must be an integer")
    sign = 1 if operator == ">" else -1
    return lambda labels: (found := _integer(labels.get(key))) is not None and (found - bound) * sign > 0


def _unreadable(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")


def _integer(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,19}", text.strip()) else None
