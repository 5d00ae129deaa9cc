"""A SyncRun: a request for one action of a SyncSource with parameters. What came of it is in ``runstatus``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationInfo, model_validator

from syncsource.resource.types import Duration, Part, ruled

Action = Literal[
    "Sync",
    "FullRefresh",
    "Preview",
    "Verify",
    "Duplicates",
    "TestConnection",
    "Undo",
    "RetryQuarantined",
    "DiscardQuarantined",
    "ResolveConflict",
    "Restore",
]
RUNS: tuple[Action, ...] = ("Sync", "FullRefresh")
"""The actions that are a run of the source, as a request by annotation is."""
TTL = timedelta(hours=1)
"""How long a finished SyncRun is kept, where spec.ttl does not say."""

_CHOSEN = ("RetryQuarantined", "DiscardQuarantined", "ResolveConflict")
TAKES: Mapping[str, tuple[str, ...]] = {
    "run": ("Undo",),
    "rewind": ("Undo",),
    "backup": ("Restore",),
    "fix": ("Duplicates",),
    "keep": ("Duplicates",),
    "by": ("Duplicates",),
    "dryRun": ("Undo", "Restore", "Duplicates"),
    "sample": ("Verify",),
    "limit": ("Preview",),
    "ids": _CHOSEN,
    "all": _CHOSEN,
    "resolve": ("ResolveConflict",),
}
"""Which actions take which parameter: the rules of the schema and the operator's own are made of it."""

_NEEDS_CHOICE = "say which records or conflicts: ids, or all: true, and not both"
_NEEDS_SIDE = "resolve must be Source or Destination for action ResolveConflict: whose value is to stand"
_NEEDS_FIX = "keep, by and dryRun of action Duplicates say what fix does: set fix: true, or remove them"


def _rules() -> Iterator[tuple[str, ...]]:
    yield "self == oldSelf", "a SyncRun's spec is immutable: create another SyncRun"
    for name, actions in TAKES.items():
        made = _only(name, "' + self.action + '")
        told = _only(name, "another action"), f".{name}", f"'{made}'"
        yield f"!has(self.{name}) || self.action in {list(actions)}", *told
    yield f"!(self.action in {list(_CHOSEN)}) || has(self.ids) != (has(self.all) && self.all)", _NEEDS_CHOICE, ".ids"
    yield "self.action != 'ResolveConflict' || has(self.resolve)", _NEEDS_SIDE, ".resolve"
    wants = "has(self.keep) || has(self.by) || (has(self.dryRun) && self.dryRun)"
    yield f"self.action != 'Duplicates' || (has(self.fix) && self.fix) || !({wants})", _NEEDS_FIX, ".fix"


def _only(name: str, action: str) -> str:
    *some, last = TAKES[name]
    meant = f"{', '.join(some)} and {last}" if some else last
    return f"{name} is for {meant}, not for {action}: remove it, or change action"


class SyncRunSpec(Part):
    """What is to be done once, with which SyncSource."""

    model_config = ruled(*_rules())
    source: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")] = Field(
        description="Name of a SyncSource in the SyncRun's namespace."
    )
    action: Action = Field(
        description="Sync: a run, as by schedule. FullRefresh: a run that ignores the cursor. Preview: how many of the first records a run would insert, "
        "update or leave, without writing. Verify: how the table compares with the source. Duplicates: rows that share a key. TestConnection: "
        "whether source and destination would work, step by step. Undo: take back what a run did to rows. Restore: make the rows those of a backup. "
        "RetryQuarantined, DiscardQuarantined: try records of the quarantine again, or forget them. ResolveConflict: decide what both sides changed. "
        "Sync and FullRefresh are refused while the SyncSource is suspended."
    )
    ttl: Duration = Field(
        TTL, description="How long after its end the SyncRun is deleted, for example 1h. 0s: at once. What it did stays in the ledger."
    )
    run: Annotated[str, Field(min_length=1, max_length=64, pattern="^[0-9a-z]+$")] | None = Field(
        None, description="Undo: the run to undo, by its id or the beginning of it. Absent: the last one that can be undone."
    )
    rewind: bool | None = Field(
        None, description="Undo: set the cursors back, too, so that the next run reads again what that run had read."
    )
    backup: Annotated[str, Field(min_length=1, max_length=64, pattern="^[0-9A-Za-z]+$")] | None = Field(
        None, description="Restore: the backup, by its id or the beginning of it. Absent: the newest."
    )
    fix: bool | None = Field(None, description="Duplicates: keep one row of each key, and delete the others. It can be undone.")
    keep: Literal["Lowest", "Highest"] | None = Field(
        None, description="Duplicates with fix: which row stays, the one with the lowest or the highest value of by. Absent: Lowest."
    )
    by: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="Duplicates with fix: the column that decides which row stays. Absent: the primary key."
    )
    dry_run: bool | None = Field(
        None, description="Undo, Restore, Duplicates with fix: only tell what would be done to how many rows. Nothing is written."
    )
    sample: Annotated[int, Field(ge=1, le=2**53 - 1)] | None = Field(
        None, description="Verify: read only so many records of each partition, from the beginning. Absent: all."
    )
    limit: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="Preview: how many records to look at. Absent: 100.")
    ids: (
        Annotated[
            list[Annotated[str, Field(min_length=4, max_length=256)]],
            Field(min_length=1, max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"}),
        ]
        | None
    ) = Field(
        None,
        description="RetryQuarantined, DiscardQuarantined, ResolveConflict: which, by their ids or the beginnings of them, as `syncsource quarantine` and "
        "`syncsource conflicts` list them.",
    )
    all: bool | None = Field(None, description="RetryQuarantined, DiscardQuarantined, ResolveConflict: all of them.")
    resolve: Literal["Source", "Destination"] | None = Field(
        None, description="ResolveConflict: whose value stands: the source's is written, or the table's is kept."
    )

    @model_validator(mode="after")
    def _parameters_fit(self, _: ValidationInfo) -> SyncRunSpec:
        """The rules of the schema once more, for API servers that know none."""
        for problem in self._problems():
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        given = self.model_dump(by_alias=True, exclude_none=True)
        yield from (_only(name, self.action) for name, actions in TAKES.items() if name in given and self.action not in actions)
        if self.action in _CHOSEN and (self.ids is not None) == bool(self.all):
            yield _NEEDS_CHOICE
        if self.action == "ResolveConflict" and self.resolve is None:
            yield _NEEDS_SIDE
        if self.action == "Duplicates" and not self.fix and (self.keep or self.by or self.dry_run):
            yield _NEEDS_FIX

    @property
    def writes(self) -> bool:
        """Whether it may change rows, or what the ledger knows of them."""
        reads = ("Preview", "Verify", "TestConnection")
        return not self.dry_run and self.action not in reads and (self.action != "Duplicates" or bool(self.fix))


ACTIONS: tuple[str, ...] = get_args(Action)


def spec_of(manifest: Mapping[str, Any]) -> SyncRunSpec:
    """The spec of a SyncRun as the API server sends it. Raises pydantic's ValidationError."""
    return SyncRunSpec.model_validate(manifest.get("spec"))
