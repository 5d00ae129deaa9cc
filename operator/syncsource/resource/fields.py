"""The columns and the key: ``spec.fields`` and ``spec.keys``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from syncsource.resource.types import FieldName, Part, Path, TimeZone, TypeName, ruled


class FieldSpec(Part):
    """One column of the table and where its value stands in a record."""

    model_config = ruled(("!has(self.timeZone) || self.type == 'timestamp'", "timeZone is only for timestamps"))
    name: FieldName = Field(description="Column in the table.")
    path: Path | None = Field(None, description="JMESPath in the record. Absent: the field of the column's name.")
    type: TypeName = Field(description="text, integer, float, boolean, date, timestamp, json, uuid or decimal(precision,scale).")
    required: bool = Field(False, description="A record without this value is invalid.")
    time_zone: TimeZone | None = Field(None, description="IANA time zone of timestamps that name none. Absent: UTC.")


class Key(Part):
    """The fields that identify a record."""

    fields: Annotated[list[FieldName], Field(min_length=1, max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"})] = Field(
        description="Names of spec.fields. A record in which one of them is null is invalid."
    )
