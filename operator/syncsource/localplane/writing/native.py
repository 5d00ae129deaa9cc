"""Objects of built-in kinds as the server's own types read them: what is unknown, of a wrong type, empty or left out.

A built-in kind is not checked by a schema, as custom ones are: its types decide what a body means (`encoding/json` into Go structs),
so that null is absent, quantities and times have one form, and what is of the wrong type is a 400.
"""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass, field
from typing import Any

from syncsource.localplane.admission.cause import child
from syncsource.localplane.registry.apitypes import NO_DEFAULT, SCALARS, ApiType, Field, api_type
from syncsource.localplane.registry.object_meta import OBJECT_META_TYPE
from syncsource.localplane.writing.defaults import COMPLETE
from syncsource.localplane.writing.scalars import SCALAR_READERS

Object = dict[str, Any]
_JSON_NAMES: tuple[tuple[type, str], ...] = ((bool, "bool"), (int, "number"), (float, "number"), (str, "string"), (list, "array"))
_GO_NAMES = {"text": "string", "time": "string", "micro": "string", "bytes": "[]uint8", "words": "v1.ExtraValue"}
_INDEX = re.compile(r"\[[^]]*\]")


def read_native(name: str, obj: Object, *, complete: bool = True) -> list[str]:
    """Read `obj`, of the type `name`, in place; the answer is the paths of its unknown fields, which are gone.

    `complete` fills in defaults and what is written though it is empty. Raises ValueError, worded as the server does, for wrong types.
    """
    reader = _Reader(complete=complete)
    read = reader.struct(obj, api_type(name), "")
    obj.clear()
    obj.update(read)
    return reader.unknown


def read_metadata(obj: Object, *, alone: bool) -> list[str]:
    """Read the `metadata` of `obj` in place, as `read_native` reads built-in kinds; `alone`: errors do not say where in `obj` it is."""
    reader, given = _Reader(complete=True), obj["metadata"]
    if not isinstance(given, dict):
        raise ValueError(f"json: cannot unmarshal {_json_name(given)} into Go value of type v1.ObjectMeta")
    obj["metadata"] = reader.struct(given, api_type(OBJECT_META_TYPE), "" if alone else "metadata")
    return [child("metadata", path) for path in reader.unknown] if alone else reader.unknown


def empty_native(name: str) -> Any:
    """What stands for a field of the type that was not given."""
    return _Reader(complete=True).struct({}, api_type(name), "")


def bare_native(name: str, obj: Object) -> Object:
    """What an object is before anybody has written to it: the parts that are always there, as empty as they are in `obj`."""
    return _bare(api_type(name), obj)


def _bare(kind: ApiType, obj: Object) -> Object:
    found: Object = {}
    for name, declared in kind.fields.items():
        value = obj.get(name)
        if not declared.is_always or value is None:
            continue
        if declared.is_struct and not declared.is_pointer:
            found[name] = _bare(api_type(declared.base), value)
        elif isinstance(value, list | dict):
            found[name] = type(value)()
    return found


@dataclass(slots=True)
class _Reader:
    complete: bool
    unknown: list[str] = field(default_factory=list)

    def struct(self, value: Object, kind: ApiType, path: str) -> Object:
        found: Object = {}
        for name, item in value.items():
            declared = kind.fields.get(name)
            if declared is None:
                self.unknown.append(child(path, name))
            elif item is not None:
                read = self.field(item, declared, kind, child(path, name))
                if not (self.complete and _is_left_out(read, declared)):
                    found[name] = read
        if self.complete:
            self._fill(found, kind)
        return found

    def _fill(self, found: Object, kind: ApiType) -> None:
        for name, declared in kind.fields.items():
            if name in found:
                continue
            if declared.default is not NO_DEFAULT:
                found[name] = copy.deepcopy(declared.default)
            elif declared.is_always:
                found[name] = self.empty(declared)
        COMPLETE.get(kind.name, _as_it_is)(found)

    def empty(self, declared: Field) -> Any:
        if declared.shape or declared.is_pointer:
            return None
        if declared.base in SCALARS:
            return _EMPTY.get(declared.base)
        return self.struct({}, api_type(declared.base), "")

    def field(self, value: Any, declared: Field, owner: ApiType, path: str) -> Any:
        where = _Place(owner, declared, path)
        if declared.shape == "[]":
            where.expect(value, list)
            return [self._value(item, where, f"{path}[{index}]") for index, item in enumerate(value)]
        if declared.shape == "{}":
            where.expect(value, dict)
            return {name: self._value(item, where, f"{path}[{name}]") for name, item in value.items()}
        return self._value(value, where, path)

    def _value(self, value: Any, where: _Place, path: str) -> Any:
        base = where.declared.base
        if base not in SCALARS:
            if value is None:
                return self.struct({}, api_type(base), path)
            where.expect(value, dict, item=True)
            return self.struct(value, api_type(base), path)
        if value is None:
            return _EMPTY.get(base)
        try:
            return SCALAR_READERS[base](value)
        except TypeError:
            raise where.wrong(value, _go_base(base)) from None


@dataclass(frozen=True, slots=True)
class _Place:
    """A field in an object, for what is said of wrong types."""

    owner: ApiType
    declared: Field
    path: str

    def expect(self, value: Any, kind: type, *, item: bool = False) -> None:
        if not isinstance(value, kind):
            raise self.wrong(value, _go_base(self.declared.base) if item else _go_name(self.declared))

    def wrong(self, value: Any, wanted: str) -> ValueError:
        got = _json_name(value)
        if got == "number" and wanted in {"int32", "int64"}:
            got = f"number {value}"
        place = f"{self.owner.short_name}.{_INDEX.sub('', self.path)}"
        return ValueError(f"json: cannot unmarshal {got} into Go struct field {place} of type {wanted}")


def _is_left_out(value: Any, declared: Field) -> bool:
    if value is None or (declared.shape and not value):
        return True
    if declared.is_always or (declared.is_pointer and not declared.shape) or declared.is_struct:
        return False
    return value in ("", [], {}) or value is False or (value == 0 and not isinstance(value, bool))


def _json_name(value: Any) -> str:
    return next((name for kind, name in _JSON_NAMES if isinstance(value, kind)), "object")


def _go_base(base: str) -> str:
    return _GO_NAMES.get(base, base) if base in SCALARS else ".".join(base.split(".")[-2:])


def _go_name(declared: Field) -> str:
    return {"[]": "[]", "{}": "map[string]", "": ""}[declared.shape] + _go_base(declared.base)


def _as_it_is(found: Object) -> None:
    return


_EMPTY: dict[str, Any] = {"text": "", "int32": 0, "int64": 0, "float64": 0, "bool": False, "intstr": 0, "quantity": "0", "duration": "0s"}
