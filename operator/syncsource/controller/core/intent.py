"""The part of a spec that decides when runs start. The rest stays packed until a run needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from syncsource.resource.spec import Retry, Schedule, SyncSourceSpec

_DECISIVE = {"source", "destination", "fields", "keys"}
"""Where one of these changes, a new spec runs at once."""

_WHEN = {"suspend": True, "suspend_reason": True, "schedule": True, "safety": {"verify": True}}
"""These say when runs and verifications start, not what runs do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the scheduler needs to know of a spec."""

    schedule: Schedule | None = None
    verify: timedelta | None = None
    """How often it is verified; None: only on request."""
    suspend: bool = False
    suspend_reason: str = ""
    retry: Retry = field(default_factory=Retry)
    timeout: timedelta = timedelta(minutes=10)
    """The longest that a run takes."""
    secrets: frozenset[str] = frozenset()
    """Names of the Secrets that a run needs."""
    source: str = ""
    """Kind of the source and where its data are."""
    digest: str = ""
    """Hash of source, destination, fields and keys."""
    substance: str = ""
    """Hash of all that bears on what a run does: everything but suspend, schedule and safety.verify."""
    problem: str = ""
    """What is wrong with the spec; empty: nothing."""

    @property
    def runnable(self) -> bool:
        """Whether any run may start, be it on request."""
        return not self.suspend and not self.problem


def intent_of(spec: SyncSourceSpec) -> Intent:
    """The intent of a valid spec."""
    return Intent(
        schedule=spec.schedule,
        verify=spec.safety.verify.every if spec.safety.verify is not None else None,
        suspend=spec.suspend,
        suspend_reason=spec.suspend_reason,
        retry=spec.retry,
        timeout=spec.timeout,
        secrets=spec.secret_names,
        source=f"{spec.source.kind}: {spec.source.chosen.place}",
        digest=_digest(spec, include=_DECISIVE),
        substance=_digest(spec, exclude=_WHEN),
    )


def _digest(spec: SyncSourceSpec, *, include: set[str] | None = None, exclude: dict[str, Any] | None = None) -> str:
    part = spec.model_dump(mode="json", by_alias=True, include=include, exclude=exclude)
    return blake2b(json.dumps(part, sort_keys=True).encode(), digest_size=8).hexdigest()
