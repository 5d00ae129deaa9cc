"""One rate limit per host, shared by every run of the operator: it lives here, in the parent of the workers."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from urllib.parse import urlsplit

from syncsource.engine.plan import RunPlan
from syncsource.resource.spec import SyncSourceSpec
from syncsource.schedule.rate import RateWindow

Limit = tuple[int, float]
"""Requests, and the seconds they count for."""


class Permits:
    """Grants requests. A host's limits are those of the SyncSources that hit it; all of them hold for each request."""

    def __init__(self) -> None:
        self._windows: dict[str, dict[Limit, RateWindow]] = defaultdict(dict)

    def declare(self, plan: RunPlan) -> None:
        """Take up the limit that the plan's source declares, if it does."""
        http = SyncSourceSpec.model_validate(plan.spec).source.http
        if http.rate_limit is not None:
            limit = http.rate_limit.requests, http.rate_limit.per.total_seconds()
            self._windows[urlsplit(http.base_url).netloc].setdefault(limit, RateWindow(http.rate_limit.requests, http.rate_limit.per))

    async def wait(self, host: str) -> None:
        """Until one request to ``host`` may be sent."""
        now = time.monotonic()
        waits = [window.reserve(now) for window in self._windows.get(host, {}).values()]
        if waits and max(waits) > 0:
            await asyncio.sleep(max(waits))
