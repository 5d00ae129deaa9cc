"""The part of a spec that decides when runs start. The rest stays packed until a run needs it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import blake2b

from syncsource.resource.spec import Retry, Schedule, SyncSourceSpec

_DECISIVE = ("source", "destination", "fields", "keys")
"""Where one of these changes, a new spec runs at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """What the scheduler needs to know of a spec."""

    schedule: Schedule | None = None
    suspend: bool = False
    suspend_reason: str = ""
    retry: Retry = field(default_factory=Retry)
    secrets: frozenset[str] = frozenset()
    """Names of the Secrets that a run needs."""
    digest: str = ""
    """Hash of source, destination, fields and keys."""
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
        suspend=spec.suspend,
        suspend_reason=spec.suspend_reason,
        retry=spec.retry,
        secrets=spec.secret_names,
        digest=_digest(spec),
    )


def _digest(spec: SyncSourceSpec) -> str:
    decisive = spec.model_dump(mode="json", by_alias=True, include=set(_DECISIVE))
    return blake2b(json.dumps(decisive, sort_keys=True).encode(), digest_size=8).hexdigest()
