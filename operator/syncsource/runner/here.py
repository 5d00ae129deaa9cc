"""Runs a plan in this very process, without operator or Kubernetes: ``syncsource run -f``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.resource.spec import SyncSourceSpec
from syncsource.schedule.rate import RateWindow


def run_here(plan: RunPlan, stop: Stop, progress: Callable[[Progress], None]) -> Outcome:
    """Execute the plan; ``stop`` ends it early from another thread or a signal handler."""
    return execute(plan, permit=_permits(plan, stop), stop=stop, progress=progress)


def _permits(plan: RunPlan, stop: Stop) -> Callable[[str], None]:
    limit = SyncSourceSpec.model_validate(plan.spec).source.http.rate_limit
    if limit is None:
        return lambda host: stop.check()
    window, lock = RateWindow(limit.requests, limit.per), threading.Lock()

    def permit(host: str) -> None:
        with lock:
            wait = window.reserve(time.monotonic())
        stop.event.wait(wait)
        stop.check()

    return permit
