"""Limits of what a run may do: ``spec.safety``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.parts import PositiveDuration
from syncsource.resource.types import Duration, Part, Share, ruled

BATCH_ROWS = 10_000
"""Records of a batch, where spec.safety.batchRows does not say."""
_NOT_BATCH = "!has(self.transaction) || self.transaction != 'Batch' || !has(self.{})"


class Undo(Part):
    """How long and how much is kept of what runs did to rows. It stands beside the table, in the same database."""

    keep: PositiveDuration = Field(description="How long the rows of a run, before and after it, are kept, for example 14d.")
    max_rows: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = Field(
        None, description="Where more rows than this are kept, those of the oldest runs go; those of the last run stay. Absent: no limit."
    )


class Backup(Part):
    """A copy of the table before a run writes to it, so that `syncsource restore` can make the table what it was, whoever changed it since."""

    model_config = ruled(
        ("(self.mode == 'File') == has(self.directory)", "directory is for mode File, which needs it", ".directory"),
        (
            "!has(self.directory) || !self.directory.split('/').exists(p, p == '..' || p == '.')",
            "directory must be written without . and ..",
            ".directory",
        ),
    )
    mode: Literal["Table", "File"] = Field(
        description="Table: a table beside the destination's ledger, on the same server. File: a file in directory, written by pg_dump, "
        "mariadb-dump or mysqldump, which must be on the PATH, or for SQLite a copy of the whole database file. Either is made before a run with "
        "rows to write begins to, unless the table is empty, and stays where the run changed any."
    )
    directory: Annotated[str, Field(min_length=2, max_length=1024, pattern=r"^/[^/\x00-\x1f][^\x00-\x1f]*$")] | None = Field(
        None,
        description="Mode File: the absolute path of a directory where the run is, so on a volume that outlives the operator's Pod, below the folder "
        "of the operator's --backups. It must be there, writable, and not for every user.",
    )
    keep: int = Field(7, ge=1, le=1000, description="How many backups are kept; the oldest go.")


class Verify(Part):
    """When the source is read anew and compared with the table, as `syncsource verify` does; nothing is written."""

    model_config = ruled(("self.every >= duration('1s')", "every must be at least 1s", ".every"))
    every: Duration = Field(
        description="Interval between the starts of verifications, for example 24h. The first comes within it after the first run that succeeded."
    )
    sample: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = Field(
        None,
        description="Read only so many records of each partition, from the beginning, as `syncsource verify -f --limit` does. Absent: all.",
    )


class Safety(Part):
    """Limits of what a run may do to the table. With partitions or windows each of them is a transaction, and has them for itself."""

    model_config = ruled(
        (
            _NOT_BATCH.format("maxChanged"),
            "how many rows change is not known before the first batch is committed: let transaction be Run, or remove maxChanged",
            ".maxChanged",
        ),
        (
            _NOT_BATCH.format("minRows"),
            "how many rows there are is not known before the first batch is committed: let transaction be Run, or remove minRows",
            ".minRows",
        ),
        (
            "!has(self.batchRows) || (has(self.transaction) && self.transaction == 'Batch')",
            "batchRows is for transaction Batch: set that, or remove batchRows",
            ".batchRows",
        ),
    )
    transaction: Literal["Run", "Batch"] = Field(
        "Run",
        description="Run: everything of a partition or window is written in one transaction, after its last page. Batch: rows are committed "
        "while reading goes on, and a run that ends early goes on where it was: by pagination cursor and keyset of source.http, in "
        "source.firestore, and by the cursor in source.sql; others read the partition or window again. The cursor moves at its end.",
    )
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="For Batch: a transaction is made of at least so many records of the source, and ends with a page. Absent: 10000."
    )
    max_changed: Share | None = Field(
        None,
        description="A run that would insert, update and delete more rows than this (a count, or a share of the rows in the table such as 30%) "
        "fails before it writes any. Not applied to an empty table.",
    )
    undo: Undo | None = Field(
        None, description="Keeps what runs do to rows, so that `syncsource undo` can take it back. Absent: what a run did stays done."
    )
    backup: Backup | None = Field(
        None, description="Copies the table before a run writes to it. It needs a primary key. Absent: nothing is copied."
    )
    min_rows: Annotated[int, Field(ge=0, le=2**53 - 1)] | None = Field(
        None,
        description="A full read that brings fewer valid records than this fails before anything is written. Absent: with onAbsent SoftDelete or "
        "Delete 1, so that a source that answers with nothing by mistake empties no table; otherwise 0.",
    )
    verify: Verify | None = Field(
        None,
        description="Compares the table with the source on a schedule; status.accuracy tells. Never at the same time as a run, and runs go first. "
        "Absent: only on request.",
    )
