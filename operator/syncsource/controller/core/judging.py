"""What follows from a SyncRun and its source: whether it can be done, and what is told of it when it was."""

from __future__ import annotations

from collections.abc import Sequence

from syncsource.controller.core import askedstatus, messages
from syncsource.controller.core.asked import Asked
from syncsource.controller.core.change import Counted
from syncsource.controller.core.happening import Announce, Decision
from syncsource.controller.core.source import Source
from syncsource.engine.plan import Outcome
from syncsource.resource import conditions
from syncsource.resource.conditions import INVALID_SPEC


def refusal(asked: Asked, source: Source | None) -> Outcome | None:
    """Why it can't be done; None: it can, as far as is known."""
    if asked.problem:
        return askedstatus.refused(asked, INVALID_SPEC, asked.problem)
    if source is None:
        return None
    if source.intent.problem:
        return askedstatus.refused(asked, INVALID_SPEC, f"SyncSource {source.ref.name}: {source.intent.problem}")
    if source.intent.suspend and asked.is_run:
        return askedstatus.refused(
            asked, conditions.SUSPEND_REFUSED, messages.refused(conditions.SUSPEND_REFUSED, source.intent.suspend_reason)
        )
    return None


def left_behind(asked: Asked) -> Outcome:
    """The outcome of one whose operator is gone, and of which nobody can be asked."""
    unknown = asked.spec is None or (asked.spec.writes and not asked.is_run)
    return askedstatus.interrupted(asked, messages.ACTION_OPEN if unknown else messages.ACTION_LEFT)


def counted(asked: Asked, outcome: Outcome) -> Counted:
    """What the action knows of quarantine and conflicts as they are now."""
    found = outcome.found if outcome.result == "Succeeded" else {}
    return Counted(quarantined=found.get("quarantined"), conflicts=found.get("conflicts"))


def announced(asked: Asked, source: Source, outcome: Outcome) -> Sequence[Decision]:
    """An Event of the source where an action changed rows, or failed to."""
    if asked.spec is None or not asked.spec.writes:
        return []
    action, good = asked.spec.action, outcome.result == "Succeeded"
    told = f"SyncRun {asked.ref.name}: {outcome.message}"
    return [
        Announce(
            ref=source.ref,
            type="Normal" if good else "Warning",
            reason=action if good else f"{action}Failed",
            message=messages.capped(told),
        )
    ]
