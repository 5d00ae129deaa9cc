"""What can happen to a SyncSource's status, and what the core decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from syncsource.controller.core.asked import SeenRun
from syncsource.controller.core.observed import Observed, Ref
from syncsource.controller.core.source import Run
from syncsource.engine.plan import Outcome

# What is fed to the fleet.


@dataclass(frozen=True, slots=True)
class ObjectSeen:
    """A SyncSource was listed, created or changed."""

    object: Observed


@dataclass(frozen=True, slots=True)
class ObjectDeleted:
    """A SyncSource is gone. One of another uid in its place is not meant."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSeen:
    """A Secret was listed, created, changed or deleted."""

    namespace: str
    name: str
    version: str
    listed: bool
    """Whether it came with a list: it may not have changed at all."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Something may be due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted:
    """The start of a run was written: from now on it is under way."""

    key: str
    run: str
    at: datetime
    packed: bytes
    """The status that was written."""
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAbandoned:
    """A run could not start for no fault of its own: the object changed, or is gone. It leaves no trace."""

    key: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgressed:
    """A run under way has come so far."""

    key: str
    run: str
    read: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnded:
    """A run ended, or failed before its start could be written."""

    key: str
    run: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationEnded:
    """A verification ended, or could not begin."""

    key: str
    run: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWritten:
    """The API server took a status."""

    ref: Ref
    packed: bytes
    version: str


@dataclass(frozen=True, slots=True)
class RunSeen:
    """A SyncRun was listed, created or changed."""

    object: SeenRun


@dataclass(frozen=True, slots=True)
class RunsKnown:
    """All SyncRuns were seen that there were when the operator began: lists come in no order."""


@dataclass(frozen=True, slots=True)
class RunDeleted:
    """A SyncRun is gone. One of another uid in its place is not meant."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWritten:
    """The API server took the status of a SyncRun."""

    ref: Ref
    packed: bytes
    version: str


@dataclass(frozen=True, slots=True)
class SourceMissing:
    """There is no SyncSource of that ``namespace/name``."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionBegan:
    """The API server has it that a SyncRun is done here. ``asked`` is its key, ``source`` its SyncSource's."""

    asked: str
    source: str
    run: str
    packed: bytes
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionAbandoned:
    """A SyncRun could not begin for no fault of its own: it changed, is gone, or another operator has it."""

    asked: str
    source: str
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionEnded:
    """An action of a SyncRun ended, failed before it could begin, or the ledger told what became of it."""

    asked: str
    source: str
    run: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Stopping:
    """The operator stops: nothing starts any more, and runs stop at their next batch."""


Happening = (
    ObjectSeen
    | ObjectDeleted
    | SecretSeen
    | TimePassed
    | RunStarted
    | RunAbandoned
    | RunProgressed
    | RunEnded
    | VerificationEnded
    | StatusWritten
    | RunSeen
    | RunsKnown
    | RunDeleted
    | RunWritten
    | SourceMissing
    | ActionBegan
    | ActionAbandoned
    | ActionEnded
    | Stopping
)

# What is decided.


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Prepare this run, write its start, run it."""

    ref: Ref
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Compare the source with its table. Its end is all that is written."""

    ref: Ref
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Find out what became of this run, whose operator is gone: it may have committed."""

    ref: Ref
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Stop this run or verification at its next batch."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """The status of this object is to be written."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Announce:
    """Tell it in an Event."""

    ref: Ref
    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Write that this SyncRun has begun, as ``run``; do it, unless it is a run of the source."""

    asked: Ref
    source: Ref
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleAction:
    """Find out what became of this SyncRun, whose operator is gone: it may have committed."""

    asked: Ref
    source: Ref
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRun:
    """The status of this SyncRun is to be written."""

    ref: Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Find:
    """Look for the SyncSource that a SyncRun names."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """Delete this SyncRun: its time is over."""

    ref: Ref


Decision = Start | Verify | Settle | Cancel | Write | Announce | Act | SettleAction | WriteRun | Find | Expire
