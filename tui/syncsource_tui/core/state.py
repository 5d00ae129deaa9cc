"""The one word that says how a SyncSource is, with its glyph and tone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from syncsource_tui.core.reading import Object, condition, number, part

Tone = Literal["", "good", "bad", "warn", "busy", "dim", "strong", "key"]
"""What a piece of text means; the screens know its colour."""


@dataclass(frozen=True, slots=True)
class Look:
    """``rank``: the worst first, for sorting."""

    word: str
    tone: Tone
    glyph: str
    rank: int


class State(Enum):
    """What a SyncSource is doing, or what it came to."""

    STALLED = Look("Stalled", "bad", "✗", 0)
    FAILED = Look("Failed", "bad", "✗", 1)
    QUARANTINED = Look("Quarantined", "warn", "!", 2)
    RUNNING = Look("Running", "busy", "▸", 3)
    WAITING = Look("Waiting", "busy", "…", 4)
    UNSEEN = Look("Unseen", "dim", "?", 5)
    NEW = Look("New", "dim", "·", 6)
    SUSPENDED = Look("Suspended", "dim", "‖", 7)
    DELETING = Look("Deleting", "dim", "−", 8)
    READY = Look("Ready", "good", "✓", 9)

    @property
    def is_problem(self) -> bool:
        """Whether somebody should look."""
        return self in (State.STALLED, State.FAILED, State.QUARANTINED)

    @property
    def glyph(self) -> str:
        """One cell."""
        return self.value.glyph

    @property
    def shown(self) -> str:
        """Glyph and word: colour is never needed."""
        return f"{self.value.glyph} {self.value.word}"


def state_of(source: Object) -> State:
    """What matters most: what it does now, then what stops it, then what its last run came to."""
    status = part(source, "status")
    if part(source, "metadata").get("deletionTimestamp"):
        return State.DELETING
    if part(status, "currentRun"):
        return State.RUNNING
    if part(source, "spec").get("suspend") is True:
        return State.SUSPENDED
    if condition(status, "Stalled").get("status") == "True":
        return State.STALLED
    return _waiting(status) or _result(status)


def _waiting(status: Object) -> State | None:
    return State.WAITING if condition(status, "Syncing").get("reason") == "WaitingForSlot" else None


def _result(status: Object) -> State:
    ready = condition(status, "Ready").get("status")
    if ready == "False":
        return State.FAILED
    if ready == "True":
        return State.QUARANTINED if (number(status, "quarantined") or 0) > 0 else State.READY
    return State.NEW if status else State.UNSEEN
