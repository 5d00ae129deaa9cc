"""Reading only what changed: ``spec.incremental``."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from syncsource.resource.parts import Param
from syncsource.resource.types import Duration, Part, Path


class Incremental(Part):
    """Read only what changed since the last complete read."""

    cursor: Path = Field(description="Path in a record to the value that grows with each change, for example updatedAt.")
    param: Param | None = Field(
        None, description="Query parameter that carries the cursor; the upstream must answer with records at or after it. For source.http."
    )
    lookback: Duration = Field(
        timedelta(0), description="How far before the cursor to read again, for records that appear late. For cursors that are instants."
    )
