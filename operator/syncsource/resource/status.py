"""What happened, when, to how many rows, why not, and when next: ``status``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PlainSerializer, WithJsonSchema

from syncsource.resource.types import Part

HISTORY_LENGTH = 10


def format_time(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[
    datetime,
    PlainSerializer(format_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Count = Annotated[int, Field(ge=0), WithJsonSchema({"type": "integer", "format": "int64", "minimum": 0})]

Result = Literal["Succeeded", "Failed", "Interrupted", "Refused"]
Trigger = Literal["Schedule", "Request", "Retry", "Create", "SpecChange"]


class StatusPart(Part):
    """A part of status. Unknown fields are kept out, not refused: another version may have written them."""

    model_config = ConfigDict(extra="ignore")


class AnyCondition(StatusPart):
    """A metav1.Condition."""

    type: str
    status: Literal["True", "False", "Unknown"] = Field(description="True, False or Unknown.")
    observed_generation: int | None = Field(None, description="The generation of spec that this condition speaks of.")
    last_transition_time: Time = Field(description="When status last changed.")
    reason: Annotated[str, Field(min_length=1, max_length=1024)] = Field(description="One CamelCase word.")
    message: Annotated[str, Field(max_length=32768)] = Field("", description="For people.")


class Condition(AnyCondition):
    """A condition of a SyncSource."""

    type: Literal["Ready", "Syncing", "Stalled", "Suspended"] = Field(description="Ready, Syncing, Stalled or Suspended.")


class Counts(StatusPart):
    """What a run did to records: read = inserted + updated + unchanged + skipped + quarantined; and to rows that no record stands for."""

    read: Count = Field(0, description="Records that the source sent.")
    inserted: Count = Field(0, description="Rows that were not there before.")
    updated: Count = Field(0, description="Rows of which a mapped column changed.")
    unchanged: Count = Field(0, description="Rows that already were as the source has them.")
    skipped: Count = Field(
        0,
        description="Records not written on purpose: those that spec.filter leaves out, older duplicates in one read, and those that spec.write leaves alone.",
    )
    quarantined: Count = Field(0, description="Records kept aside with their reason.")
    deleted: Count = Field(0, description="Rows deleted, or marked as deleted, since the source has them no more.")
    conflicts: Count = Field(
        0, description="Columns of rows that both the source and people changed, and that wait for people since this run."
    )


class PartitionCounts(StatusPart):
    """How the partitions of a run ended. Those that are missing had not begun."""

    total: Count = Field(description="Partitions that the run had.")
    succeeded: Count = Field(description="Partitions that are committed.")
    failed: Count = Field(description="Partitions that failed; what others committed stays.")


class RunCounts(Counts):
    """What a run did."""

    partitions: PartitionCounts | None = Field(None, description="How its partitions ended, with spec.partitions.")
    document_reads: Count | None = Field(None, description="Documents that the source bills the run for, where it bills any.")


class HistoryEntry(RunCounts):
    """One ended run."""

    id: str = Field(description="Identifies the run, in the ledger and the logs too.")
    trigger: Trigger = Field(description="Why it ran: Schedule, Request, Retry, Create or SpecChange.")
    generation: int = Field(description="Generation of the spec it ran.")
    full: bool = Field(False, description="Whether it ignored the cursor.")
    started_at: Time = Field(description="When it started.")
    duration: str = Field(description="How long it took.")
    result: Result = Field(description="Succeeded, Failed, Interrupted or Refused.")
    reason: str = Field("", description="One CamelCase word.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="For people.")


class LastRun(RunCounts):
    """The run that ended last."""

    id: str = Field(description="Identifies the run.")
    changed: Count = Field(description="Rows inserted or updated: kubectl's JSONPath cannot add.")


class CurrentRun(StatusPart):
    """The run under way."""

    id: str = Field(description="Identifies the run.")
    trigger: Trigger = Field(description="Why it runs.")
    generation: int = Field(description="Generation of the spec it runs.")
    full: bool = Field(False, description="Whether it ignores the cursor.")
    started_at: Time = Field(description="When it started.")
    read: Count = Field(0, description="Records read so far; renewed every 15 s.")


class Compared(StatusPart):
    """How a table compares with its source."""

    accuracy: str | None = Field(
        None, description="Percent of cells that are equal, with four digits, rounded down. Absent where there was nothing to compare."
    )
    sample: Count | None = Field(None, description="How many records of each partition were to be read. Absent: all.")
    complete: bool | None = Field(None, description="Whether everything was read.")
    cells: Count | None = Field(None, description="Cells compared: of all fields of all records.")
    rows: Count | None = Field(None, description="Rows compared: records, one for each key.")
    missing: Count | None = Field(None, description="Rows that the table lacks.")
    different: Count | None = Field(None, description="Rows of which a column differs.")
    ambiguous: Count | None = Field(None, description="Rows whose key finds more than one row of the table.")
    extra: Count | None = Field(
        None, description="Rows of the table that the source has no record of. Absent where not everything was read."
    )
    quarantined: Count | None = Field(None, description="Records that are no rows: each counts as a row that is missing.")
    skipped: Count | None = Field(None, description="Records that spec.filter leaves out, and older ones of a key.")
    columns: dict[str, Count] = Field(
        default_factory=dict, description="The columns with the most cells that differ, twenty at most, and how many these are."
    )


class Verification(Compared):
    """How the table compared with the source when it was verified last, and what became of the last attempt to. The counts are of `time`: what
    happened to the table since is not in them."""

    schedule: str | None = Field(None, description="The schedule in force.")
    next_time: Time | None = Field(None, description="When it is verified next: by schedule, or as a retry of one that failed.")
    last_attempt_time: Time | None = Field(None, description="Start of the last verification, whatever became of it.")
    result: Literal["Succeeded", "Failed", "Refused"] | None = Field(
        None, description="What became of the last one: Succeeded (it was carried through, whatever it found), Failed or Refused."
    )
    reason: str = Field("", description="Why the last one failed or was refused, one CamelCase word.")
    message: Annotated[str, Field(max_length=1024)] = Field("", description="The same for people.")
    failures: Count = Field(0, description="Failed verifications since the last one that was carried through.")
    time: Time | None = Field(None, description="End of the last one that was carried through: what it found is of then.")


class SyncSourceStatus(StatusPart):
    """What the operator last saw and did. People never write it."""

    observed_generation: int | None = Field(None, description="The generation of spec that the operator has seen.")
    conditions: Annotated[
        list[Condition], Field(json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]})
    ] = Field(default_factory=list, description="Ready (the last result), Syncing, Stalled (only while true), Suspended (only while true).")
    last_handled_request_at: str | None = Field(
        None,
        description="The value of the annotation syncsource.dev/requestedAt that was taken last; its sha256 where longer than 128 bytes.",
    )
    last_handled_full_refresh_at: str | None = Field(None, description="The same for syncsource.dev/fullRefreshAt.")
    last_handled_verify_at: str | None = Field(
        None, description="The same for syncsource.dev/verifyRequestedAt, taken when the verification has ended."
    )
    effective_schedule: str | None = Field(None, description="The schedule in force, with H resolved.")
    last_attempt_time: Time | None = Field(None, description="Start of the last run.")
    last_attempt_hash: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Hash of source, destination, fields and keys as the last run had them: a spec that differs runs at once."
    )
    last_attempt_substance: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="Hash of the spec of the last run, without suspend and schedule: a spec that differs makes Ready Unknown."
    )
    last_success_time: Time | None = Field(None, description="End of the last run that succeeded.")
    next_run_time: Time | None = Field(None, description="When the schedule next comes due.")
    next_retry_time: Time | None = Field(None, description="When the failed run is tried again.")
    last_missed_time: Time | None = Field(None, description="When the schedule last came due and no run could start.")
    consecutive_failures: Count = Field(0, description="Failed runs since the last success.")
    source: Annotated[str, Field(max_length=4096)] | None = Field(
        None, description="Kind of the source and where its data are, for example http: https://api.example/v1."
    )
    cursor: str | None = Field(
        None, description="How far the source has been read, of partitions the one that is behind; for display, the ledger has the truth."
    )
    current_run: CurrentRun | None = Field(None, description="The run under way.")
    last_run: LastRun | None = Field(None, description="Counts of the run that ended last.")
    history: Annotated[list[HistoryEntry], Field(max_length=HISTORY_LENGTH, json_schema_extra={"x-kubernetes-list-type": "atomic"})] = (
        Field(default_factory=list, description="The last ten runs, newest first.")
    )
    quarantined: Count = Field(0, description="Records of this SyncSource in quarantine.")
    conflicts: Count = Field(0, description="Conflicts of this SyncSource that wait for people: `syncsource conflicts` lists them.")
    accuracy: str | None = Field(
        None,
        description="Percent of cells that were equal to the source's at verification.time, with four digits, rounded down. Absent where the table was "
        "never verified.",
    )
    verification: Verification | None = Field(None, description="The last verification, and when the next one is due.")
