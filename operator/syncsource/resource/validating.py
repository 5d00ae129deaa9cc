"""What becomes of records that are invalid: ``spec.validation``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.types import Expression, FieldName, Part, Share, Text, ruled


class Rule(Part):
    """What a field's value must be like. A null satisfies all but notEmpty."""

    model_config = ruled(
        (
            "has(self.matches) || has(self.min) || has(self.max) || has(self.oneOf) || (has(self.notEmpty) && self.notEmpty)",
            "one of matches, min, max, oneOf and notEmpty must be set",
        )
    )
    field: FieldName = Field(description="Name of one of spec.fields.")
    matches: Expression | None = Field(None, description="Regular expression (RE2) that is found in the value's text; ^ and $ anchor it.")
    min: Text | None = Field(None, description="The least value, written as a value of the field's type.")
    max: Text | None = Field(None, description="The largest value, written as a value of the field's type.")
    one_of: Annotated[list[Text], Field(min_length=1, max_length=500)] | None = Field(
        None, description="The values allowed, written as values of the field's type."
    )
    not_empty: bool = Field(False, description="Neither null nor a text of spaces alone.")
    message: Annotated[str, Field(max_length=256)] = Field("", description="What is told of a record that breaks the rule.")


class Validation(Part):
    """What becomes of records that are invalid or can't be written."""

    rules: Annotated[list[Rule], Field(min_length=1, max_length=100, json_schema_extra={"x-kubernetes-list-type": "atomic"})] | None = (
        Field(None, description="What values must be like; a record that breaks a rule is invalid.")
    )
    on_invalid: Literal["Quarantine", "Fail"] = Field(
        "Quarantine",
        description="Quarantine: the record is kept aside with its reason, the rest is written. Fail: the run fails, nothing is written.",
    )
    max_invalid: Share | None = Field(
        None,
        description="More invalid records than this (a count, or a share of those read such as 5%) fail the run before anything is written.",
    )
    columns: Literal["Freeze", "Evolve"] = Field(
        "Freeze",
        description="Where spec.fields is absent. Freeze: fields that the table has no column for are left out. Evolve: the first page of each "
        "full read adds nullable columns for them. A column's type never changes: a value that does not fit it is invalid.",
    )
