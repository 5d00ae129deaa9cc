"""Types of values as protobuf messages, so that cel-cpp can check the fields and types that a rule names."""

from __future__ import annotations

from typing import Any

from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
)

from syncsource.localplane.admission.cel.decltypes import DeclType
from syncsource.localplane.admission.cel.values import unescaped_keyword

PACKAGE = "schema"
_Field = descriptor_pb2.FieldDescriptorProto
_ANY = ".google.protobuf.Value"
_SCALARS = {
    "string": _Field.TYPE_STRING, "int": _Field.TYPE_INT64, "double": _Field.TYPE_DOUBLE, "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
}  # fmt: skip
_KNOWN = {"duration": ".google.protobuf.Duration", "timestamp": ".google.protobuf.Timestamp", "dyn": _ANY}
_NAMES = {"duration": "google.protobuf.Duration", "timestamp": "google.protobuf.Timestamp"}


class SchemaTypes:
    """The CEL types of all values below `root`, and the descriptor pool that knows their messages."""

    def __init__(self, root: DeclType) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        self._names: dict[int, str] = {}
        self._file = descriptor_pb2.FileDescriptorProto(name="schema.proto", package=PACKAGE, syntax="proto3")
        for known in (duration_pb2, struct_pb2, timestamp_pb2):
            self.pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
            self._file.dependency.append(known.DESCRIPTOR.name)
        self.root = self._name(root)
        self.pool.AddSerializedFile(self._file.SerializeToString())

    def _name(self, kind: DeclType) -> str:
        """A type as CEL spells it."""
        if kind.kind == "list" and kind.element is not None:
            return f"list<{self._name(kind.element)}>"
        if kind.kind == "map" and kind.element is not None:
            return f"map<string, {self._name(kind.element)}>"
        return self._message(kind).removeprefix(".") if kind.kind == "object" else _NAMES.get(kind.kind, kind.kind)

    def _message(self, kind: DeclType) -> str:
        if id(kind) not in self._names:
            name = f"Object{len(self._file.message_type)}"
            self._names[id(kind)] = f".{PACKAGE}.{name}"
            message = self._file.message_type.add(name=name)
            for field, below in sorted(kind.fields.items()):
                self._field(message, field, below)
        return self._names[id(kind)]

    def _field(self, message: Any, name: str, kind: DeclType) -> None:
        for spelling in filter(None, (name, unescaped_keyword(name))):
            number = len(message.field) + 1
            if kind.kind == "list" and kind.element is not None:
                self._type(message.field.add(name=spelling, number=number, label=_Field.LABEL_REPEATED), kind.element)
            elif kind.kind == "map" and kind.element is not None:
                self._map(message, spelling, number, kind.element)
            else:
                self._type(message.field.add(name=spelling, number=number, label=_Field.LABEL_OPTIONAL), kind)

    def _map(self, message: Any, name: str, number: int, element: DeclType) -> None:
        entry = message.nested_type.add(name=_entry_name(name))
        entry.options.map_entry = True
        entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        self._type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), element)
        field = message.field.add(name=name, number=number, label=_Field.LABEL_REPEATED, type=_Field.TYPE_MESSAGE)
        field.type_name = entry.name

    def _type(self, field: Any, kind: DeclType) -> None:
        """The type of one value; lists of lists and maps of maps have no protobuf type and are dynamic."""
        if kind.kind in _SCALARS:
            field.type = _SCALARS[kind.kind]
        else:
            field.type = _Field.TYPE_MESSAGE
            field.type_name = self._message(kind) if kind.kind == "object" else _KNOWN.get(kind.kind, _ANY)


def _entry_name(field: str) -> str:
    """protobuf insists on the name of a map entry: the camel case of the field's."""
    letters, upper = [], True
    for letter in field:
        if letter == "_":
            upper = True
            continue
        letters.append(letter.upper() if upper else letter)
        upper = False
    return "".join(letters) + "Entry"
