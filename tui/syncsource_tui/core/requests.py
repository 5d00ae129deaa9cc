"""What becomes of a change after it was confirmed: Requested → Accepted → Running → how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from syncsource.resource.api import REQUESTED_AT
from syncsource_tui.core.plans import Change, Plan, Target
from syncsource_tui.core.reading import Object, condition, number, part, parts, raw, text
from syncsource_tui.core.times import span

KEPT = 20.0
"""Seconds that an outcome stays on the screen."""
SILENT = 15.0
"""Seconds after which a request that nobody took is worth a word."""


class Step(Enum):
    """How far a request has come. A success ends in DONE, anything else in FAILED."""

    SENDING = "Sending"
    REQUESTED = "Requested"
    ACCEPTED = "Accepted"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"

    @property
    def is_end(self) -> bool:
        """Whether nothing more will happen."""
        return self in (Step.DONE, Step.FAILED)


@dataclass(slots=True)
class Request:
    """One object's part of a plan. Times are instants in seconds."""

    plan: Plan
    target: Target
    at: float
    step: Step = Step.SENDING
    outcome: str = ""
    read: int = 0
    ended_at: float | None = None
    generation: int | None = None
    """Of the spec that the change made, for pausing and resuming."""
    _run: str = ""
    _known: frozenset[str] = field(default_factory=frozenset)

    def sent(self, before: Object, after: Object) -> None:
        """The control plane took it: the object as it was, and as it is."""
        self.step = Step.REQUESTED
        self._known = frozenset(raw(entry, "id") for entry in parts(part(before, "status"), "history"))
        self.generation = number(part(after, "metadata"), "generation")

    def fail(self, why: str, now: float) -> None:
        """It came to nothing."""
        self._end(Step.FAILED, why, now)

    def see(self, source: Object, now: float) -> None:
        """The object as it is now."""
        if self.step in (Step.SENDING, Step.DONE, Step.FAILED):
            return
        if self.plan.change in (Change.PAUSE, Change.RESUME):
            self._see_suspension(source, now)
        else:
            self._see_run(source, now)

    def gone(self, now: float) -> None:
        """The object was deleted."""
        if not self.step.is_end:
            self._end(Step.FAILED, "the SyncSource was deleted", now)

    def _see_suspension(self, source: Object, now: float) -> None:
        status = part(source, "status")
        observed = number(status, "observedGeneration") or 0
        if self.generation is None or observed < self.generation:
            return
        paused = condition(status, "Suspended").get("status") == "True"
        if paused == (self.plan.change is Change.PAUSE):
            self._end(Step.DONE, "paused" if paused else "resumed", now)
        else:
            self._end(Step.FAILED, "somebody changed it again meanwhile", now)

    def _see_run(self, source: Object, now: float) -> None:
        status = part(source, "status")
        if self.step is Step.REQUESTED:
            self._see_whether_taken(source, now)
        if self.step not in (Step.ACCEPTED, Step.RUNNING):
            return
        current = part(status, "currentRun")
        if not self._run and current.get("trigger") == "Request" and raw(current, "id") not in self._known:
            self._run, self.step = raw(current, "id"), Step.RUNNING
        if self._run and raw(current, "id") == self._run:
            self.read = number(current, "read") or 0
        for entry in parts(status, "history"):
            if self._is_ours(entry):
                self._ended(entry, now)

    def _see_whether_taken(self, source: Object, now: float) -> None:
        if part(source, "status").get("lastHandledRequestAt") == self.plan.token:
            self.step = Step.ACCEPTED
        elif self._overtaken(source):
            self._end(Step.FAILED, "a later request took its place", now)

    def _overtaken(self, source: Object) -> bool:
        asked = raw(part(source, "metadata", "annotations"), REQUESTED_AT)
        return bool(asked) and asked != self.plan.token and part(source, "status").get("lastHandledRequestAt") == asked

    def _is_ours(self, entry: Object) -> bool:
        if self._run:
            return raw(entry, "id") == self._run
        return entry.get("trigger") == "Request" and raw(entry, "id") not in self._known

    def _ended(self, entry: Object, now: float) -> None:
        result, message = text(entry, "result"), text(entry, "message")
        told = message if result.lower() in message.lower() else f"{result}: {message}".rstrip(": ")
        self._end(Step.DONE if result == "Succeeded" else Step.FAILED, told, now)

    def _end(self, step: Step, outcome: str, now: float) -> None:
        self.step, self.outcome, self.ended_at = step, outcome, now


def is_over(request: Request, now: float) -> bool:
    """Whether it ended so long ago that nobody needs to see it any more."""
    return request.ended_at is not None and now - request.ended_at > KEPT


def trail(request: Request, now: float) -> str:
    """``Requested → Accepted → Running, 1,204 read``, and how it ended."""
    if request.step is Step.SENDING:
        return "Sending"
    if request.step.is_end:
        return request.outcome
    steps = [Step.REQUESTED, Step.ACCEPTED, Step.RUNNING]
    told = " → ".join(step.value for step in steps[: steps.index(request.step) + 1])
    if request.step is Step.RUNNING and request.read:
        told += f", {request.read:,} read"
    if request.step is Step.REQUESTED and now - request.at > SILENT:
        told += f": nobody took it for {span(now - request.at)}; is an operator running?"
    return told
