"""How a record meets the table: ``spec.write``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.types import FieldName, Part, ruled

_SET = {"x-kubernetes-list-type": "set"}
_ATOMIC = {"x-kubernetes-list-type": "atomic"}
TableName = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f]+$")]


class SkipIf(Part):
    """Another table of the same database, whose rows keep records out."""

    exists_in: TableName = Field(description="Name of the table.")
    schema_: Annotated[str, Field(min_length=1, max_length=63)] | None = Field(
        None, alias="schema", description="Schema of the table. Absent: the connection's default."
    )
    match: Annotated[list[FieldName], Field(min_length=1, max_length=16, json_schema_extra=_SET)] = Field(
        description="Names of spec.fields that are columns of that table, too. A record is skipped where a row has the same values in all of them."
    )


class SoftDelete(Part):
    """How a row is marked as deleted."""

    column: FieldName = Field(
        description="Name of the column that marks it: a timestamp gets the time at which the row was marked, a boolean true. No field fills it. "
        "Where the table is created, it is a timestamp."
    )


Resolve = Literal["Source", "Destination", "Newest", "Manual"]


class ColumnConflict(Part):
    """What becomes of conflicts in one column."""

    column: FieldName = Field(description="Name of one of spec.fields.")
    resolve: Resolve = Field(description="Source, Destination, Newest or Manual, as for all columns.")


class Conflict(Part):
    """What becomes of a column that both the source and people changed since the last run."""

    model_config = ruled(
        (
            "((has(self.resolve) && self.resolve == 'Newest') || (has(self.columns) && self.columns.exists(c, c.resolve == 'Newest'))) == has(self.field)",
            "field tells what is newer for resolve Newest: set both, or neither",
        ),
    )
    resolve: Resolve = Field(
        "Manual",
        description="Source: the source's value is written. Destination: people's value stays. Newest: the side with the higher value in field wins. "
        "Manual: people's value stays, and the conflict is listed until somebody resolves it.",
    )
    field: FieldName | None = Field(
        None, description="For Newest: name of one of spec.fields, such as updated_at, that both sides set when they change a row."
    )
    columns: (
        Annotated[
            list[ColumnConflict],
            Field(
                min_length=1,
                max_length=100,
                json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["column"]},
            ),
        ]
        | None
    ) = Field(None, description="Columns of which it is another.")


class Write(Part):
    """How a record meets the table."""

    model_config = ruled(
        (
            "!(has(self.onMissing) && self.onMissing == 'Skip' && has(self.onExisting) && self.onExisting == 'Skip')",
            "with onMissing Skip and onExisting Skip nothing would ever be written",
        ),
        (
            "(has(self.onAbsent) && self.onAbsent == 'SoftDelete') == has(self.softDelete)",
            "softDelete names the column for onAbsent SoftDelete: set both, or neither",
        ),
        (
            "!has(self.onAbsent) || self.onAbsent == 'Ignore' || !has(self.onExisting) || self.onExisting != 'Skip'",
            "onExisting Skip leaves rows alone: let it be Update or Merge, or onAbsent Ignore",
            ".onExisting",
        ),
        ("!has(self.conflict) || (has(self.onExisting) && self.onExisting == 'Merge')", "conflict needs onExisting Merge"),
    )
    on_missing: Literal["Insert", "Skip"] = Field(
        "Insert", description="Insert: a record without a row gets one. Skip: only rows that are there are kept up to date."
    )
    on_existing: Literal["Update", "Skip", "Merge"] = Field(
        "Update",
        description="Update: mapped columns that differ are set. Skip: a row that is there is left alone. Merge: a column is set where the source "
        "changed it since the last run, and stays where people did; where both did, conflict decides.",
    )
    conflict: Conflict | None = Field(None, description="For Merge: what becomes of columns that both sides changed. Absent: Manual.")
    on_absent: Literal["Ignore", "SoftDelete", "Delete"] = Field(
        "Ignore",
        description="What becomes of rows that the source once sent and a full read no longer finds. Ignore: they stay. SoftDelete: they are "
        "marked, and unmarked when they are back. Delete: they go. Rows that this source never sent, or that another one has, stay.",
    )
    soft_delete: SoftDelete | None = Field(None, description="Where SoftDelete marks rows.")
    protect: Annotated[list[FieldName], Field(min_length=1, max_length=100, json_schema_extra=_SET)] | None = Field(
        None, description="Names of spec.fields whose columns are filled when a row is inserted, and never written again."
    )
    skip_if: Annotated[list[SkipIf], Field(min_length=1, max_length=4, json_schema_extra=_ATOMIC)] | None = Field(
        None, description="Tables that keep records out: a record with a row in one of them is skipped."
    )
