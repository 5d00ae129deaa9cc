"""The types of the built-in kinds, read from `apitypes.txt` one by one, when they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

NO_DEFAULT: Any = type("NoDefault", (), {"__repr__": lambda _: "NO_DEFAULT"})()
SCALARS = frozenset(
    {"text", "int32", "int64", "bool", "float64", "bytes", "time", "micro", "duration", "quantity", "intstr", "raw", "any", "words"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a type.

    `base` is a scalar or the full name of a type, `shape` is `[]` for a list of them, `{}` for a map, else empty. A field that
    `is_always` is written where it is empty. `merge_key` is empty for a list of scalars that a strategic merge patch merges.
    """

    name: str
    number: int
    base: str
    shape: str = ""
    is_pointer: bool = False
    is_always: bool = False
    is_required: bool = False
    is_inline: bool = False
    is_atomic: bool = False
    is_set: bool = False
    keys: tuple[str, ...] = ()
    is_merged: bool = False
    merge_key: str = ""
    retains_keys: bool = False
    enum: tuple[str, ...] = ()
    default: Any = NO_DEFAULT

    @property
    def is_struct(self) -> bool:
        return not self.shape and self.base not in SCALARS


@dataclass(frozen=True, slots=True)
class ApiType:
    """`fields` are those of JSON, by name; `numbers` those of protobuf, where inline types are messages."""

    name: str
    is_atomic: bool
    fields: Mapping[str, Field]
    numbers: Mapping[int, Field] = field(repr=False, default_factory=dict)

    @property
    def short_name(self) -> str:
        return self.name.rpartition(".")[2]


@cache
def api_type(name: str) -> ApiType:
    """The type called `group.version.Name`; raises KeyError for one that there is not."""
    head, *lines = _blocks()[name]
    declared = [_field(line.split(), name.rpartition(".")[0]) for line in lines]
    fields = {found.name: found for one in declared for found in _flattened(one)}
    return ApiType(name, head.endswith(" atomic"), fields, {found.number: found for found in declared if found.number})


def references(name: str) -> Iterator[str]:
    """The types that a type's JSON consists of, itself among them, each once."""
    waiting, seen = [name], {name}
    while waiting:
        current = waiting.pop()
        yield current
        below = {found.base for found in api_type(current).fields.values() if found.base not in SCALARS}
        waiting += sorted(below - seen)
        seen |= below


@cache
def _blocks() -> dict[str, list[str]]:
    text = files("syncsource.localplane.registry").joinpath("apitypes.txt").read_text(encoding="utf-8")
    blocks = [block.splitlines() for block in text.split("\n\n") if block and block[0] != "#"]
    return {block[0].partition(" ")[0]: block for block in blocks}


def _flattened(declared: Field) -> Iterator[Field]:
    if declared.is_inline:
        yield from api_type(declared.base).fields.values()
    else:
        yield declared


def _field(words: list[str], package: str) -> Field:
    name, number, written, *flags = words
    pointer, shape = written.startswith("*"), ""
    written = written.removeprefix("*")
    if written[:2] in {"[]", "{}"}:
        shape, written = written[:2], written[2:]
    base = written if written in SCALARS or "." in written else f"{package}.{written}"
    return Field(name, int(number), base, shape, pointer, **_flags(flags))


def _flags(flags: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for flag in flags:
        key, _, value = flag.partition("=")
        match key:
            case "map":
                found["keys"] = tuple(value.split(","))
            case "merge":
                found |= {"is_merged": True, "merge_key": value}
            case "enum":
                found["enum"] = tuple(value.split("|"))
            case "default":
                found["default"] = json.loads(value)
            case _:
                found[_MARKS[key]] = True
    return found


_MARKS = {
    "!": "is_always", "req": "is_required", "inline": "is_inline", "atomic": "is_atomic", "set": "is_set", "retain": "retains_keys",
}  # fmt: skip
