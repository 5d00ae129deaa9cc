"""What can happen to a SyncSource's status, and what the core decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

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


Decision = Start | Verify | Settle | Cancel | Write | Announce
