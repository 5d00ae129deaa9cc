"""The JSONPath of printer columns (`k8s.io/client-go/util/jsonpath`): fields, indices, `[*]`, `..` and simple filters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

Step = Callable[[Any], Iterator[Any]]
_TOKEN = re.compile(
    r"""(?P<deep>\.\.)?\.?(?P<field>(?:[A-Za-z_$][A-Za-z0-9_-]*|\\.)+)
    |\[\s*'(?P<quoted>[^']*)'\s*\]|\[\s*(?P<index>-?\d+)\s*\]|(?:\[\s*\*\s*\]|\.\*)(?P<all>)
    |\[\s*(?P<start>-?\d*)\s*:\s*(?P<stop>-?\d*)\s*\]
    |\[\?\(\s*@(?P<path>[^=!<>)]*?)\s*(?:(?P<operator>==|!=|<=|>=|<|>)\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*)?\)\]""",
    re.VERBOSE,
)


def find(path: str, obj: Any) -> list[Any]:
    """Everything the path leads to; nothing where it leads nowhere. Raises ValueError for a path that can't be read."""
    names = _names(path)
    if names is not None:
        return _straight(names, obj)
    found = [obj]
    for step in _compiled(path.strip().removeprefix("{").removesuffix("}")):
        found = [below for value in found for below in step(value)]
    return found


@lru_cache(maxsize=1024)
def _names(path: str) -> tuple[str, ...] | None:
    """The fields of a path that has nothing else, as most have; None for another."""
    return tuple(path[1:].split(".")) if re.fullmatch(r"(\.[A-Za-z_][A-Za-z0-9_-]*)+", path) else None


def _straight(names: tuple[str, ...], value: Any) -> list[Any]:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return []
        value = value[name]
    return [value]


@lru_cache(maxsize=1024)
def _compiled(path: str) -> tuple[Step, ...]:
    steps, position = [], 0
    path = path.removeprefix("$")
    while position < len(path):
        token = _TOKEN.match(path, position)
        if token is None:
            raise ValueError(f"invalid JSONPath {path!r}")
        steps.append(_step(token))
        position = token.end()
    return tuple(steps)


def _step(token: re.Match[str]) -> Step:
    if token["field"] is not None:
        name = re.sub(r"\\(.)", r"\1", token["field"])
        return _deep(name) if token["deep"] else _child(name)
    if token["quoted"] is not None:
        return _child(token["quoted"])
    if token["index"] is not None:
        return _item(int(token["index"]))
    if token["all"] is not None:
        return _all
    if token["start"] is not None:
        return _slice(*(int(end) if end else None for end in token.group("start", "stop")))
    return _filter(token["path"], token["operator"], token["value"])


def _child(name: str) -> Step:
    return lambda value: iter((value[name],)) if isinstance(value, dict) and name in value else iter(())


def _deep(name: str) -> Step:
    def step(value: Any) -> Iterator[Any]:
        if isinstance(value, dict) and name in value:
            yield value[name]
        for below in _all(value):
            yield from step(below)

    return step


def _item(index: int) -> Step:
    return lambda value: iter(value[index:][:1]) if isinstance(value, list) else iter(())


def _slice(start: int | None, stop: int | None) -> Step:
    return lambda value: iter(value[start:stop]) if isinstance(value, list) else iter(())


def _all(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value) if isinstance(value, list) else iter(())


def _filter(path: str, operator: str | None, literal: str | None) -> Step:
    wanted = _literal(literal) if literal is not None else None

    def step(value: Any) -> Iterator[Any]:
        for item in value if isinstance(value, list) else _all(value):
            found = find(path, item)
            if found and (operator is None or _holds(found[0], operator, wanted)):
                yield item

    return step


def _literal(text: str) -> Any:
    if text[0] in "'\"":
        return text[1:-1]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _holds(left: Any, operator: str, right: Any) -> bool:
    if operator in {"==", "!="}:
        return (left == right) is (operator == "==")
    try:
        return bool({"<": left < right, ">": left > right, "<=": left <= right, ">=": left >= right}[operator])
    except TypeError:
        return False
