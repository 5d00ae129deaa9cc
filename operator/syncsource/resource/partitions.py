"""Independent slices of a source: ``spec.partitions``."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.types import Duration, Part, ruled

MOST = 10_000
"""Partitions of one SyncSource."""
LONGEST = 200
"""Characters of a partition's value."""

_Value = Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=r"^[^\x00-\x1f]+$")]
_Name = Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f]+$")]


class PartitionsFrom(Part):
    """A column of a table in the destination's database, such as one that another SyncSource fills."""

    schema_: Annotated[str, Field(min_length=1, max_length=63)] | None = Field(
        None, alias="schema", description="Schema of the table: on MySQL and MariaDB the database. Absent: the connection's default."
    )
    table: _Name = Field(description="Name of the table.")
    column: _Name = Field(description="Column whose values are the partitions: each distinct one, in its order, NULL left out.")
    where: Annotated[str, Field(min_length=1, max_length=2048)] | None = Field(
        None, description="SQL condition that rows must meet, for example: closed_at IS NULL. It is evaluated in a read-only transaction."
    )
    minimum: int = Field(
        1, ge=0, le=MOST, description="The run fails where the table has fewer values, as before it was filled. 0: none is no failure."
    )


class Partitions(Part):
    """Independent slices of the source, such as stores: each has a cursor, a transaction, limits and a failure of its own."""

    model_config = ruled(("has(self.values) != has(self.from)", "exactly one of values and from must be set"))
    values: Annotated[list[_Value], Field(min_length=1, max_length=1000, json_schema_extra={"x-kubernetes-list-type": "set"})] | None = (
        Field(None, description="The partitions. One that is taken out keeps its rows, and its cursor in the ledger.")
    )
    from_: PartitionsFrom | None = Field(
        None, alias="from", description="A column whose values are the partitions, read at each run's start."
    )
    parallelism: int = Field(1, ge=1, le=32, description="Partitions that are read at the same time.")
    delay: Duration = Field(timedelta(0), description="Least time between the starts of two partitions, for example 500ms.")
    on_failure: Literal["Continue", "Stop"] = Field(
        "Continue",
        description="After a partition failed: Continue with the others, or Stop, so that no further one begins. The run fails either way; "
        "what other partitions committed stays.",
    )
