"""Runs, previews and tests a plan in this very process, without operator or Kubernetes: ``syncsource run -f``."""

from __future__ import annotations

from collections.abc import Callable

from syncsource.engine.checking import Finding, check
from syncsource.engine.executing import OpenSource, execute
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.previewing import Preview, preview
from syncsource.engine.stopping import Stop
from syncsource.engine.verifying import Verified, verify
from syncsource.runner.collecting import collect_rarely
from syncsource.runner.limits import declare
from syncsource.sources.hosts import HostTable, local_hosts
from syncsource.sources.opening import open_source


def run_here(plan: RunPlan, stop: Stop, progress: Callable[[Progress], None], opened: OpenSource | None = None) -> Outcome:
    """Execute the plan; ``stop`` ends it early from another thread or a signal handler. ``opened``: see :func:`execute`."""
    collect_rarely()
    table = HostTable()
    declare(table, plan)
    return execute(plan, hosts=local_hosts(stop.event, table, link_local=plan.link_local), stop=stop, progress=progress, opened=opened)


def preview_here(plan: RunPlan, stop: Stop, limit: int) -> Preview:
    """The first records and what a run would do with each; see :func:`syncsource.engine.previewing.preview`."""
    return preview(plan, opened=_opener(plan, stop), stop=stop, limit=limit)


def check_here(plan: RunPlan, stop: Stop, found: Callable[[Finding], None]) -> bool:
    """Whether the plan would work, step by step; see :func:`syncsource.engine.checking.check`."""
    return check(plan, opened=_opener(plan, stop), stop=stop, found=found)


def verify_here(plan: RunPlan, stop: Stop, limit: int | None, progress: Callable[[Progress], None]) -> Verified:
    """How accurate the copy is; see :func:`syncsource.engine.verifying.verify`."""
    collect_rarely()
    return verify(plan, opened=_opener(plan, stop), stop=stop, limit=limit, progress=progress)


def _opener(plan: RunPlan, stop: Stop) -> OpenSource:
    table = HostTable()
    declare(table, plan)
    hosts = local_hosts(stop.event, table, link_local=plan.link_local)
    return lambda spec, secrets: open_source(spec, secrets, hosts=hosts, cancelled=stop.event, files=plan.files)
