"""Sets of fields, as server-side apply owns them (`sigs.k8s.io/structured-merge-diff`).

A path is a tuple of FieldsV1 elements (`f:name`, `k:{"name":"a"}`, `v:1`); a set is a frozenset of paths.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission.schema import Schema
from syncsource.localplane.admission.validation import same

Path = tuple[str, ...]
FieldSet = frozenset[Path]
PathSet = set[Path]
EMPTY: FieldSet = frozenset()
_ANY = Schema()
_KINDS = {"f": 0, "k": 1, "v": 2, "i": 3}


def element(item: Any, index: int, schema: Schema) -> str:
    """The path element of a list item."""
    if schema.list_type == "map" and isinstance(item, dict):
        given = {name: item.get(name, _default(schema, name)) for name in sorted(schema.list_map_keys)}
        key = {name: value for name, value in given.items() if value is not None}
        return f"k:{json.dumps(key, separators=(',', ':'), ensure_ascii=False)}"
    if schema.list_type == "set":
        return f"v:{json.dumps(item, separators=(',', ':'), ensure_ascii=False)}"
    return f"i:{index}"


def _default(schema: Schema, name: str) -> Any:
    declared = schema.items.properties.get(name) if schema.items else None
    return declared.default if declared and isinstance(declared.default, str | int | bool) else None


def is_granular(value: Any, schema: Schema) -> bool:
    """Whether the parts of a map or list are owned one by one."""
    if isinstance(value, dict):
        return schema.map_type != "atomic"
    return isinstance(value, list) and schema.list_type in {"map", "set"}


def children(value: Any, schema: Schema) -> Iterator[tuple[str, Any, Schema]]:
    """The parts of a granular value with their path elements and schemas."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield f"f:{name}", item, schema.property(name) or _ANY
    else:
        for index, item in enumerate(value):
            yield element(item, index, schema), item, schema.items or _ANY


def fields_of(value: Any, schema: Schema) -> FieldSet:
    """The fields that an applied configuration names."""
    return frozenset(_named(value, schema, ()))


def _named(value: Any, schema: Schema, path: Path) -> Iterator[Path]:
    if not is_granular(value, schema):
        yield path
        return
    seen = Counter(part for part, _, _ in children(value, schema))
    for part, item, below in children(value, schema):
        place = (*path, part)
        if not isinstance(value, dict) or item is None or item == {} or part[2:] not in schema.properties:
            yield place
        if seen[part] == 1:
            yield from _named(item, below, place)


@dataclass(slots=True)
class Comparison:
    """What a write added, changed and removed."""

    added: PathSet = field(default_factory=set)
    modified: PathSet = field(default_factory=set)
    removed: PathSet = field(default_factory=set)

    @property
    def written(self) -> FieldSet:
        return frozenset(self.added | self.modified)

    @property
    def all(self) -> FieldSet:
        return self.written | self.removed


_NOTHING: Any = object()


def compare(old: Any, new: Any, schema: Schema) -> Comparison:
    """The difference of two versions of an object, field by field."""
    found = Comparison()
    _compare(old, new, schema, (), found)
    return found


def _compare(old: Any, new: Any, schema: Schema, path: Path, found: Comparison) -> None:
    if old is not _NOTHING and new is not _NOTHING and same(old, new):
        return
    old_parts, new_parts = _parts(old, schema), _parts(new, schema)
    if not _alike(old, new):  # what was a map and is none now loses its parts, and the other way round
        _compare_parts(old_parts, {}, path, found)
        _compare_parts({}, new_parts, path, found)
    else:
        _compare_parts(old_parts, new_parts, path, found)
    if old is _NOTHING:
        found.added.add(path)
    elif new is _NOTHING:
        found.removed.add(path)
    elif not (old_parts or new_parts) or not _alike(old, new):
        found.modified.add(path)


def _compare_parts(old: _Parts, new: _Parts, path: Path, found: Comparison) -> None:
    for part in {**old, **new}:
        below = (new.get(part) or old[part])[1]
        _compare(old.get(part, (_NOTHING,))[0], new.get(part, (_NOTHING,))[0], below, (*path, part), found)


def _alike(old: Any, new: Any) -> bool:
    """Null takes the form of the other side."""
    return type(old) is type(new) or any(value is absent for value in (old, new) for absent in (_NOTHING, None))


_Parts = dict[str, tuple[Any, Schema]]


def _parts(value: Any, schema: Schema) -> _Parts:
    if value is _NOTHING or not is_granular(value, schema):
        return {}
    return {part: (item, below) for part, item, below in children(value, schema)}


def remove(value: Any, schema: Schema, paths: FieldSet) -> Any:
    """`value` without the fields at `paths`; what is left empty becomes None."""
    if not paths or not value or not is_granular(value, schema):
        return value
    below: dict[str, set[Path]] = {}
    for path in paths:
        below.setdefault(path[0], set()).add(path[1:])
    kept = [
        (part, remove(item, sub, frozenset(below[part])) if part in below else item)
        for part, item, sub in children(value, schema)
        if () not in below.get(part, ())
    ]
    if not kept:
        return None
    return {part[2:]: item for part, item in kept} if isinstance(value, dict) else [item for _, item in kept]


def with_parents(paths: FieldSet, schema: Schema) -> FieldSet:
    """The set with the declared fields that hold its parts: they go when the last of their parts does."""
    found = set(paths)
    for path in paths:
        here = schema
        for length, part in enumerate(path[:-1], 1):
            name = part[2:] if part.startswith("f:") else None
            if name is not None and name in here.properties:
                found.add(path[:length])
            here = (here.items if name is None else here.property(name)) or _ANY
    return frozenset(found)


def to_fields_v1(paths: FieldSet) -> dict[str, Any]:
    """The FieldsV1 form, where `.` says that a field with parts is itself owned."""
    root: dict[str, Any] = {}
    for path in sorted(paths):
        node = root
        for part in path:
            node = node.setdefault(part, {})
        node["."] = {}
    return _without_marks(root)


def _without_marks(node: dict[str, Any]) -> dict[str, Any]:
    if node.keys() == {"."}:
        return {}
    return {part: {} if part == "." else _without_marks(below) for part, below in node.items()}


def from_fields_v1(fields: Mapping[str, Any]) -> FieldSet:
    """Read FieldsV1."""
    return frozenset(_read(fields, ()))


def _read(node: Mapping[str, Any], path: Path) -> Iterator[Path]:
    if not node and path:
        yield path
    for part, below in node.items():
        if part == ".":
            yield path
        else:
            yield from _read(below or {}, (*path, part))


def in_order(paths: Iterable[Path]) -> list[Path]:
    """As a set is walked: at each level what is owned itself, then what has parts that are."""
    return sorted(paths, key=lambda path: [(place < len(path) - 1, _KINDS[part[0]], part) for place, part in enumerate(path)])


def path_text(path: Path) -> str:
    """As in conflicts: `.spec.parts[name="a"].count`."""
    return "".join(map(_element_text, path))


def _element_text(part: str) -> str:
    kind, _, text = part.partition(":")
    if kind == "f":
        return f".{text}"
    if kind == "k":
        keys = json.loads(text)
        return "[" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in keys.items()) + "]"
    return f"[={text}]" if kind == "v" else f"[{re.sub('[^0-9]', '', text)}]"
