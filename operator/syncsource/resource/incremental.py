"""Reading only what changed: ``spec.incremental``."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from syncsource.resource.moments import MomentFormat
from syncsource.resource.parts import Param
from syncsource.resource.types import Duration, Part, Path, TimeZone, cel, ruled

_START = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?$"


def _check_start(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not an instant or a date, such as 2020-01-01T00:00:00Z or 2020-01-01: {error}") from error
    return text


class Window(Part):
    """A long history is read slice by slice, each committed on its own, so that a run that ends early goes on where it was."""

    size: Annotated[Duration, Field(json_schema_extra=cel(("self >= duration('1m')", "must be at least 1m")))] = Field(
        description="Length of a slice, for example 30d; whole days where the cursor is a date."
    )
    start: Annotated[str, Field(max_length=40, pattern=_START), AfterValidator(_check_start)] = Field(
        description="Where the history begins, in the form of the cursor: an instant or a date in ISO 8601. Nothing before it is read."
    )


class Incremental(Part):
    """Read only what changed since the last complete read."""

    model_config = ruled(
        ("!has(self.timeZone) || has(self.format)", "timeZone needs format"),
        ("!has(self.endParam) || has(self.window)", "endParam needs window"),
    )
    cursor: Path = Field(description="Path in a record to the value that grows with each change, for example updatedAt.")
    param: Param | None = Field(
        None,
        description="Query parameter that carries the cursor; the upstream must answer with records at or after it. For source.http, where it "
        "may be absent if a template of the request holds {{ cursor }}.",
    )
    end_param: Param | None = Field(
        None, description="Query parameter that carries the end of the window, for source.http; records up to it are wanted."
    )
    format: MomentFormat | None = Field(
        None,
        description="How source.http is sent the cursor and the window's end: iso8601, date, epochSeconds, epochMilliseconds, or a pattern such as "
        "%Y-%m-%d %H:%M:%S. The cursor is rounded down, the end up. Absent: in the source's own text.",
    )
    time_zone: TimeZone | None = Field(None, description="IANA time zone in which format writes. Absent: UTC.")
    lookback: Duration = Field(
        timedelta(0), description="How far before the cursor to read again, for records that appear late. For cursors that are instants."
    )
    window: Window | None = Field(
        None,
        description="Read in slices of time: from the cursor, or start, to the run's start. The source is given the end of each slice, too. "
        "For cursors that are instants or dates.",
    )
