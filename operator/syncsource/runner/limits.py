"""Rate limits are kept in the parent of the workers, so that every run of one operator shares them."""

from __future__ import annotations

from syncsource.engine.plan import RunPlan
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.hosts import HostTable


def declare(table: HostTable, plan: RunPlan) -> None:
    """Take up the limit that the plan's source declares, if it does, for its host: what it declared before is over."""
    table.declare(plan.identity, SyncSourceSpec.model_validate(plan.spec).source.chosen.limits)
