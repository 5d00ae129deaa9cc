"""What became of a SyncRun: ``status``. Counts, reasons and names of columns; nothing of any record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from syncsource.resource.status import AnyCondition, Compared, Count, RunCounts, StatusPart, Time

COMPLETE = "Complete"
"""Type of the condition that is True once the action succeeded."""
FAILED = "Failed"
"""Type of the condition that is there, and True, once it failed."""

WAITING_FOR_SOURCE = "WaitingForSource"
WAITING_FOR_TURN = "WaitingForTurn"
"""Another SyncRun of the source goes first."""
WAITING_FOR_RUN = "WaitingForRun"
"""A run of the source is under way, or a verification."""
SOURCE_NOT_FOUND = "SourceNotFound"

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]


class SyncRunCondition(AnyCondition):
    """A condition of a SyncRun."""

    type: Literal["Complete", "Failed"] = Field(
        description="Complete is True once the action succeeded, and False before and where it failed. Failed is there only where it failed."
    )


class Undone(StatusPart):
    """What Undo did to rows, or would do."""

    run: str = Field(description="The run that was undone.")
    started_at: Time = Field(description="When that run had started.")
    restored: Count = Field(description="Rows that got their former values.")
    removed: Count = Field(description="Rows that the run had inserted, and that are gone.")
    reinserted: Count = Field(description="Rows that the run had deleted, and that are there again.")
    left: Count = Field(description="Rows that somebody has changed or removed since: left alone.")


class Restored(StatusPart):
    """What Restore did to rows, or would do."""

    backup: str = Field(description="The backup.")
    made_at: Time = Field(description="When it was made.")
    restored: Count = Field(description="Rows that were changed since, and are set back.")
    removed: Count = Field(description="Rows that were added since, and are gone.")
    reinserted: Count = Field(description="Rows that were gone since, and are there again.")


class SharedKeys(StatusPart):
    """What Duplicates found, or did."""

    keys: Count | None = Field(None, description="Keys of more than one row.")
    surplus: Count | None = Field(None, description="Rows over one of each of these keys.")
    kept: Count | None = Field(None, description="With fix: rows of such keys that stay.")
    deleted: Count | None = Field(None, description="With fix: rows that are gone.")


class Step(StatusPart):
    """What a step of TestConnection found."""

    step: str = Field(description="What was looked at.")
    result: Literal["Ok", "Warning", "Failed"] = Field(description="Ok, Warning or Failed.")
    reason: str = Field("", description="One CamelCase word where it is not Ok.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="For people.")


class SyncRunResult(StatusPart):
    """What came of the action: the parts that it has."""

    counts: RunCounts | None = Field(
        None, description="What was done to how many records and rows; of Preview what would be done to those that it looked at."
    )
    full: bool | None = Field(None, description="Sync, FullRefresh: whether the cursor was ignored.")
    creates: bool | None = Field(None, description="Preview: whether a run would create the table.")
    undone: Undone | None = Field(None, description="Undo: what was done to rows.")
    restored: Restored | None = Field(None, description="Restore: what was done to rows.")
    duplicates: SharedKeys | None = Field(None, description="Duplicates: what was found or done.")
    verified: Compared | None = Field(None, description="Verify: how the table compares with the source.")
    steps: Annotated[list[Step], Field(max_length=50, json_schema_extra={"x-kubernetes-list-type": "atomic"})] | None = Field(
        None, description="TestConnection: each step."
    )
    discarded: Count | None = Field(None, description="DiscardQuarantined: records that are forgotten.")
    quarantined: Count | None = Field(
        None, description="RetryQuarantined, DiscardQuarantined: records of the SyncSource that are left in quarantine."
    )
    conflicts: Count | None = Field(None, description="ResolveConflict: conflicts of the SyncSource that are left.")


class SyncRunStatus(StatusPart):
    """What the operator did about it. People never write it."""

    observed_generation: int | None = Field(None, description="The generation of spec that the operator has seen.")
    phase: Phase | None = Field(
        None, description="Pending, Running, Succeeded or Failed. Absent: no operator has seen it, or it begins at once."
    )
    conditions: Annotated[
        list[SyncRunCondition], Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]})
    ] = Field(default_factory=list, description="Complete (True once it succeeded), Failed (only where it failed).")
    run: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Identifies what was done, in the ledger and the logs; of Sync and FullRefresh also in the SyncSource's history."
    )
    source_generation: int | None = Field(None, description="The generation of the SyncSource's spec that it was done with.")
    started_at: Time | None = Field(None, description="When it began.")
    completed_at: Time | None = Field(None, description="When it ended: spec.ttl later the SyncRun is deleted.")
    duration: str | None = Field(None, description="How long it took. Absent: it never began.")
    reason: str = Field("", description="Why it waits, or what became of it, one CamelCase word.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="The same for people.")
    result: SyncRunResult | None = Field(None, description="What came of it, in numbers.")

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.phase in ("Succeeded", "Failed")
