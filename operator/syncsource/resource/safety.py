"""Limits of what a run may do: ``spec.safety``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from syncsource.resource.types import Part, Share


class Safety(Part):
    """Limits of what a run may do to the table. With partitions or windows each of them is a transaction, and has them for itself."""

    max_changed: Share | None = Field(
        None,
        description="A run that would insert, update and delete more rows than this (a count, or a share of the rows in the table such as 30%) "
        "fails before it writes any. Not applied to an empty table.",
    )
    min_rows: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = Field(
        None, description="A full read that brings fewer valid records than this fails before anything is written."
    )
