"""Documents as records: each Value (https://cloud.google.com/firestore/docs/reference/rest/Shared.Types/Value) as plain JSON, digit for digit.

Timestamps keep their nanoseconds, bytes their base64, NaN and the infinities are texts, vectors are lists of numbers. What Firestore knows of a
document stands under names that no field of a document can have: they match ``__.*__``, which Firestore refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal

from syncsource.errors import outside_text
from syncsource.records.batch import Broken

NAME, PATH, ID, IDS = "__name__", "__path__", "__id__", "__ids__"
CREATED, UPDATED = "__createTime__", "__updateTime__"

_INTEGER = re.compile(r"-?\d{1,19}")
_UNBOUNDED = frozenset(("NaN", "Infinity", "-Infinity"))
_DOCUMENTS = "/documents/"

Document = Mapping[str, Any]
Kind = Callable[[Any], Any]


class Unreadable(ValueError):
    """A value that is none of Firestore's."""


class Values:
    """Makes records of documents. ``references``: how references are written, as spec.source.firestore.references says."""

    def __init__(self, references: Literal["Name", "Path", "Id"] = "Name") -> None:
        self._kinds: Mapping[str, Kind] = {
            "nullValue": lambda _: None,
            "booleanValue": _of_type(bool),
            "integerValue": _integer,
            "doubleValue": _double,
            "timestampValue": _of_type(str),
            "stringValue": _of_type(str),
            "bytesValue": _of_type(str),
            "referenceValue": _REFERENCES[references],
            "geoPointValue": _point,
            "arrayValue": self._array,
            "mapValue": self._map,
        }

    def record(self, document: Document) -> Any:
        """The document's fields, and what Firestore knows of it; Broken where a value can't be made out."""
        try:
            return {**self._fields(document.get("fields", {})), **_about(document)}
        except (Unreadable, RecursionError) as error:
            said = str(error) if isinstance(error, Unreadable) else "the document is nested too deeply"
            return Broken("UnreadableValue", said, {NAME: document["name"]})

    def plain(self, value: Any) -> Any:
        """A Value as plain JSON. Raises Unreadable."""
        if not isinstance(value, dict) or len(value) != 1:
            raise Unreadable("a value must be an object with exactly one type")
        ((kind, held),) = value.items()
        if kind not in self._kinds:
            raise Unreadable(f"{outside_text(kind, 60)!r} is not a type of a value in a document")
        return self._kinds[kind](held)

    def _fields(self, fields: Any) -> dict[str, Any]:
        if not isinstance(fields, dict):
            raise Unreadable("fields must be an object")
        return {name: self._named(name, value) for name, value in fields.items()}

    def _named(self, name: str, value: Any) -> Any:
        try:
            return self.plain(value)
        except Unreadable as error:
            raise Unreadable(f"{outside_text(name, 60)}: {error}"[:200]) from None

    def _array(self, held: Any) -> list[Any]:
        return [self.plain(value) for value in _part(held, "values", list)]

    def _map(self, held: Any) -> Any:
        fields = _part(held, "fields", dict)
        if fields.get("__type__") == {"stringValue": "__vector__"} and "value" in fields:
            return self.plain(fields["value"])
        return self._fields(fields)


def _about(document: Document) -> dict[str, Any]:
    name = document["name"]
    path = name.partition(_DOCUMENTS)[2]
    segments = path.split("/")
    return {
        NAME: name,
        PATH: path,
        ID: segments[-1],
        IDS: segments[1::2],
        CREATED: document.get("createTime"),
        UPDATED: document.get("updateTime"),
    }


def _of_type(kind: type) -> Kind:
    def convert(held: Any) -> Any:
        if type(held) is not kind:
            raise Unreadable(f"a {'boolean' if kind is bool else 'text'} was expected")
        return held

    return convert


def _integer(held: Any) -> int:
    """A 64-bit integer: JSON has it as a text, so that no reader rounds it."""
    if type(held) is int:
        return held
    if isinstance(held, str) and _INTEGER.fullmatch(held):
        return int(held)
    raise Unreadable("an integer was expected")


def _double(held: Any) -> int | Decimal | str:
    if type(held) in (int, Decimal) or (isinstance(held, str) and held in _UNBOUNDED):
        number: int | Decimal | str = held
        return number
    raise Unreadable("a double was expected")


def _point(held: Any) -> dict[str, Any]:
    """Latitude and longitude in degrees. JSON leaves out what is 0."""
    return {name: _double(_part(held, name, object, 0)) for name in ("latitude", "longitude")}


def _reference(style: Callable[[str], str]) -> Kind:
    text = _of_type(str)
    return lambda held: style(text(held))


def _part(held: Any, name: str, kind: type, default: Any = None) -> Any:
    """A part of an object, which JSON leaves out where it is empty."""
    if not isinstance(held, dict):
        raise Unreadable("an object was expected")
    part = held.get(name, kind() if default is None else default)
    if not isinstance(part, kind):
        raise Unreadable(f"{name}: another type was expected")
    return part


_REFERENCES: Mapping[str, Kind] = {
    "Name": _reference(lambda name: name),
    "Path": _reference(lambda name: name.partition(_DOCUMENTS)[2]),
    "Id": _reference(lambda name: name.rpartition("/")[2]),
}
