"""Bodies as values: JSON, YAML and protobuf, with what is said of those that can't be read and of fields that come twice."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from syncsource.localplane.admission.cause import child
from syncsource.localplane.serving.protobuf import MEDIA_TYPE, decode_protobuf
from syncsource.localplane.storage.encoding import decode

MAX_DEPTH = 100
SHOWN_BYTES = 30
YAML = frozenset({"application/yaml", "application/apply-patch+yaml"})
_TOO_DEEP = "exceeded max depth"
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{}]', re.DOTALL)
_AFTER = {
    "Unexpected UTF-8 BOM": "looking for beginning of value",
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
    "Invalid \\escape": "in string escape code",
    "Invalid \\uXXXX escape": "in \\u hexadecimal character escape",
}


class Unreadable(ValueError):
    """A body that is none of the format that it says it is; the text is what the real server says of it."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A value, and what was odd about its form: clients are refused, warned or left alone, as they wish."""

    value: Any
    duplicates: tuple[str, ...] = ()


def decode_body(body: bytes, kind: str) -> Decoded:
    """Raises Unreadable."""
    try:
        read = _protobuf(body) if kind == MEDIA_TYPE else _yaml(body) if kind in YAML else _json(body)
        _check_depth(read.value)
    except RecursionError:
        raise Unreadable(_TOO_DEEP) from None
    return read


def summary(body: bytes) -> str:
    """The beginning of a body, as it is shown beside what is wrong with it."""
    if not body:
        return "<empty>"
    start = body[:SHOWN_BYTES]
    return (start.decode("utf-8", "replace") if body[:1] == b"{" else start.hex()) + (" ..." if len(body) > SHOWN_BYTES else "")


def _protobuf(body: bytes) -> Decoded:
    try:
        return Decoded(decode_protobuf(body))
    except ValueError as wrong:
        raise Unreadable(str(wrong)[:200]) from wrong


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [below for item in level if isinstance(item, dict | list) for below in (item if isinstance(item, list) else item.values())]
        if not level:
            return
    raise Unreadable(_TOO_DEEP)


# -- JSON


class _Twice(dict[str, Any]):
    """An object some of whose names come more than once."""

    names: tuple[str, ...] = ()


def _json(body: bytes) -> Decoded:
    try:
        value = decode(body)
    except ValueError:
        value = None
    noted: list[bool] = []

    def gathered(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        noted.append(True)
        twice = _Twice(found)
        twice.names = tuple(dict.fromkeys(name for place, (name, _) in enumerate(pairs) if name in dict(pairs[:place])))
        return twice

    text = body.decode("utf-8", "replace")
    try:
        again = json.loads(text, object_pairs_hook=gathered, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as wrong:
        raise Unreadable(_json_problem(text, wrong)) from wrong
    value = again if value is None else value
    return Decoded(value, tuple(f'duplicate field "{path}"' for path in _twice(again, "")) if noted else ())


def _no_constant(name: str) -> Any:
    raise Unreadable(f"invalid character '{name.lstrip('-')[0]}' looking for beginning of value")


def _finite(text: str) -> float:
    if abs(float(text)) == float("inf"):
        raise Unreadable(f"json: cannot unmarshal number {text} into Go value of type float64")
    return float(text)


def _twice(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Twice):
        yield from (child(path, name) for name in value.names)
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _twice(item, child(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _twice(item, f"{path}[{index}]")


def _json_problem(text: str, wrong: json.JSONDecodeError) -> str:
    if wrong.pos >= len(text.rstrip()) or wrong.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    letter = text[wrong.pos + wrong.msg.startswith("Invalid \\escape")]
    shown = {"'": "\\'", '"': '"'}.get(letter) or (letter if letter.isprintable() else repr(letter)[1:-1])
    where = next((said for start, said in _AFTER.items() if wrong.msg.startswith(start)), "")
    return f"invalid character '{shown}' {where or _after_item(text[: wrong.pos])}"


def _after_item(before: str) -> str:
    opened: list[str] = []
    for token in _TOKEN.findall(before):
        if token in "[{":
            opened.append(token)
        elif token in "]}" and opened:
            opened.pop()
    return "after array element" if opened[-1:] == ["["] else "after object key:value pair"


# -- YAML


@dataclass(slots=True)
class _Notes:
    twice: list[str] = field(default_factory=list)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML as Kubernetes reads it: what looks like a date is text, names of fields are text, tags of nobody's are left out."""

    notes: _Notes

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        self.flatten_mapping(node)
        found: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            name = _name(self.construct_object(key_node, deep=True))
            if name in found:
                shown = json.dumps(name) if key_node.tag.endswith(":str") else name
                self.notes.twice.append(f"line {key_node.start_mark.line + 1}: key {shown} already set in map")
            found[name] = self.construct_object(value_node, deep=deep)
        return found


def _name(key: Any) -> str:
    if isinstance(key, bool | None):
        return json.dumps(key)
    if isinstance(key, str | int | float):
        return str(key)
    raise Unreadable("error converting YAML to JSON: yaml: invalid map key")


def _untagged(loader: Any, _suffix: str, node: Any) -> Any:
    match node:
        case yaml.ScalarNode():
            return loader.construct_scalar(node)
        case yaml.SequenceNode():
            return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("", _untagged)
_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _yaml(body: bytes) -> Decoded:
    """The first document of the body."""
    notes = _Notes()
    try:
        loader = _Loader(body)
        loader.notes = notes
        try:
            value = loader.get_data() if loader.check_data() else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as wrong:
        raise Unreadable(_yaml_problem(wrong)) from wrong
    except (yaml.YAMLError, UnicodeDecodeError) as wrong:
        raise Unreadable(f"yaml: {str(wrong)[:200]}") from wrong
    except Unreadable:
        raise
    except (ValueError, TypeError) as wrong:
        raise Unreadable(f"yaml: {str(wrong)[:200]}") from wrong
    return Decoded(value, tuple(notes.twice))


def _yaml_problem(wrong: yaml.MarkedYAMLError) -> str:
    is_scanner = isinstance(wrong, yaml.scanner.ScannerError)
    marks = (wrong.problem_mark,) if is_scanner else (wrong.context_mark, wrong.problem_mark)
    line = next((mark.line for mark in marks if mark is not None and mark.line), 0) + is_scanner
    return f"yaml: {f'line {line}: ' if line else ''}{wrong.problem or 'it can not be read'}"
