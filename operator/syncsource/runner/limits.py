"""Rate limits are kept in the parent of the workers, so that every run of one operator shares them."""

from __future__ import annotations

from syncsource.engine.plan import RunPlan
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.hosts import HostTable


def declare(table: HostTable, plan: RunPlan) -> None:
    """Take up the limit that the plan's source declares, if it does, for its host: what it declared before is over."""
    limits = SyncSourceSpec.model_validate(plan.spec).source.chosen.limits
    table.declare(plan.identity, {_as_asked(host): limit for host, limit in limits.items()})


def _as_asked(host: str) -> str:
    """The host as requests name it: httpx decodes names of IDNA that begin so."""
    try:
        return host.encode("ascii").decode("idna") if host.startswith("xn--") else host
    except UnicodeError:
        return host
