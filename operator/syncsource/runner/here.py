"""Runs a plan in this very process, without operator or Kubernetes: ``syncsource run -f``."""

from __future__ import annotations

from collections.abc import Callable

from syncsource.engine.executing import OpenSource, execute
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.runner.collecting import collect_rarely
from syncsource.runner.limits import declare
from syncsource.sources.hosts import HostTable, local_hosts


def run_here(plan: RunPlan, stop: Stop, progress: Callable[[Progress], None], opened: OpenSource | None = None) -> Outcome:
    """Execute the plan; ``stop`` ends it early from another thread or a signal handler. ``opened``: see :func:`execute`."""
    collect_rarely()
    table = HostTable()
    declare(table, plan)
    return execute(plan, hosts=local_hosts(stop.event, table), stop=stop, progress=progress, opened=opened)
