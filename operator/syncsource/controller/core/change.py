"""What happens to a status. One of these and the old status make the new one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from syncsource.controller.core.intent import Intent
from syncsource.controller.core.requests import Requests
from syncsource.controller.core.source import Run
from syncsource.engine.plan import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a status is about: the object as it is now, and its run if one is under way."""

    uid: str
    generation: int
    intent: Intent
    run: Run | None
    waiting: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """Nothing happened: the object is as it is, and so is the time."""


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """The operator that wrote ``currentRun`` is gone, or what waits for a change is seen by a new operator."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """A request is older than its object: it counts as handled."""

    requests: Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A request can't be fulfilled and is answered so."""

    id: str
    generation: int
    requests: Requests
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Began:
    """A run began."""

    run: Run


@dataclass(frozen=True, slots=True)
class Moved:
    """A run has come further."""

    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run ended. ``run.started`` None: it failed before its start was written."""

    run: Run
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class SecretChanged:
    """A Secret that it names changed while it waited for a retry or was stalled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A verification ended."""

    run: Run
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class VerifyOutdated:
    """A request for a verification is older than its object: it counts as handled."""

    requests: Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRefused:
    """A request for a verification can't be fulfilled and is answered so."""

    requests: Requests
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class VerifySecretChanged:
    """A Secret that it names changed since it could not be verified."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """An action of a SyncRun left so many records in quarantine, or conflicts. None: it knows nothing of them."""

    quarantined: int | None = None
    conflicts: int | None = None


Change = (
    Looked
    | LeftBehind
    | Outdated
    | Refused
    | Began
    | Moved
    | Ended
    | SecretChanged
    | Verified
    | VerifyOutdated
    | VerifyRefused
    | VerifySecretChanged
    | Counted
)
