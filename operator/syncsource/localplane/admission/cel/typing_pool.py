"""A schema as protobuf messages, so that cel-cpp can check the fields and types that a rule names."""

from __future__ import annotations

from typing import Any

from cel_expr_python import cel
from google.protobuf import (  # type: ignore[import-untyped]
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    struct_pb2,
    timestamp_pb2,
)

from syncsource.localplane.admission.cel.values import escape, is_accessible
from syncsource.localplane.admission.schema import Schema

PACKAGE = "schema"
_Field = descriptor_pb2.FieldDescriptorProto
_ANY = ".google.protobuf.Value"
_SCALARS = {"string": _Field.TYPE_STRING, "integer": _Field.TYPE_INT64, "number": _Field.TYPE_DOUBLE, "boolean": _Field.TYPE_BOOL}
_CEL = {"integer": cel.Type.INT, "number": cel.Type.DOUBLE, "boolean": cel.Type.BOOL}
_STRINGS = {"duration": cel.Type.DURATION, "date-time": cel.Type.TIMESTAMP, "date": cel.Type.TIMESTAMP, "byte": cel.Type.BYTES}
_FORMATS = {"duration": ".google.protobuf.Duration", "date-time": ".google.protobuf.Timestamp", "date": ".google.protobuf.Timestamp"}


class SchemaTypes:
    """The CEL types of all schemas below `root`, and the descriptor pool that knows their messages."""

    def __init__(self, root: Schema) -> None:
        self.pool = descriptor_pool.DescriptorPool()
        self._names: dict[int, str] = {}
        self._file = descriptor_pb2.FileDescriptorProto(name="schema.proto", package=PACKAGE, syntax="proto3")
        for known in (duration_pb2, struct_pb2, timestamp_pb2):
            self.pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
            self._file.dependency.append(known.DESCRIPTOR.name)
        self._field(self._file.message_type.add(name="Root"), "self", 1, root)
        self.pool.AddSerializedFile(self._file.SerializeToString())

    def type_of(self, schema: Schema) -> Any:
        """The type of `self` in a rule of `schema`, which is `root` or below it."""
        kind = schema.types[0] if len(schema.types) == 1 else ""
        if kind == "array" and schema.items is not None:
            return cel.Type.List(self.type_of(schema.items))
        if kind == "object" and schema.additional is not None:
            return cel.Type.Map(cel.Type.STRING, self.type_of(schema.additional))
        if kind == "object" and schema.properties:
            return cel.Type(self._names[id(schema)]) if id(schema) in self._names else cel.Type.DYN
        if kind == "string":
            return _STRINGS.get(schema.format, cel.Type.STRING)
        return _CEL.get(kind, cel.Type.DYN)

    def _fill(self, message: Any, properties: Any) -> None:
        for number, (name, schema) in enumerate(sorted(properties.items()), start=1):
            if is_accessible(name):
                self._field(message, escape(name), number, schema)

    def _field(self, message: Any, name: str, number: int, schema: Schema) -> None:
        if schema.types == ("array",) and schema.items is not None:
            field = message.field.add(name=name, number=number, label=_Field.LABEL_REPEATED)
            self._type(field, schema.items)
        elif schema.types == ("object",) and schema.additional is not None:
            entry = message.nested_type.add(name=_entry_name(name))
            entry.options.map_entry = True
            entry.field.add(name="key", number=1, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
            self._type(entry.field.add(name="value", number=2, label=_Field.LABEL_OPTIONAL), schema.additional)
            field = message.field.add(name=name, number=number, label=_Field.LABEL_REPEATED, type=_Field.TYPE_MESSAGE)
            field.type_name = entry.name
        else:
            self._type(message.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL), schema)

    def _type(self, field: Any, schema: Schema) -> None:
        """The type of one value; lists of lists and maps of maps have no protobuf type and are dynamic."""
        kind = schema.types[0] if len(schema.types) == 1 else ""
        if kind == "string" and schema.format in _FORMATS:
            field.type, field.type_name = _Field.TYPE_MESSAGE, _FORMATS[schema.format]
        elif kind == "string" and schema.format == "byte":
            field.type = _Field.TYPE_BYTES
        elif kind in _SCALARS:
            field.type = _SCALARS[kind]
        elif kind == "object" and schema.properties:
            field.type, field.type_name = _Field.TYPE_MESSAGE, self._message(schema)
        else:
            field.type, field.type_name = _Field.TYPE_MESSAGE, _ANY

    def _message(self, schema: Schema) -> str:
        name = f"Object{len(self._file.message_type)}"
        self._names[id(schema)] = f"{PACKAGE}.{name}"
        message = self._file.message_type.add(name=name)
        self._fill(message, schema.properties)
        return f".{PACKAGE}.{name}"


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
