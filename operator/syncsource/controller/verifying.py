"""The life of one verification: Secrets, the runner, what it found. Only its end is written: one that an operator's end cuts off is due again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from syncsource.controller.core import messages
from syncsource.controller.core.fleet import Fleet
from syncsource.controller.core.happening import Happening, VerificationEnded, Verify
from syncsource.controller.core.source import Source
from syncsource.controller.preparing import prepare
from syncsource.controller.runs import Runner
from syncsource.controller.starting import RunApi, failure
from syncsource.controller.writing import until_there
from syncsource.engine.plan import Next, Outcome
from syncsource.errors import RetryableError, SyncError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifications:
    """Carries out decisions to verify. ``feed`` tells the core what became of it; ``cluster`` is the cluster's identity."""

    api: RunApi
    runner: Runner
    fleet: Fleet
    feed: Callable[[Happening], None]
    cluster: str

    async def live(self, verify: Verify) -> None:
        """Prepare the verification, carry it out, tell what it found."""
        key, run = verify.ref.key, verify.run.id
        told = {"source": key, "run": run}
        try:
            outcome = await self._carried_out(verify)
        except SyncError as error:
            outcome = failure(verify.run, error)
        except Exception as error:
            _log.exception("verification failed for a fault of the operator", extra=told)
            outcome = failure(verify.run, RetryableError(f"the operator failed: {type(error).__name__}", reason="InternalError"))
        _log.info("%s", messages.verified(outcome), extra=told)
        self.feed(VerificationEnded(key=key, run=run, outcome=outcome))

    async def _carried_out(self, verify: Verify) -> Outcome:
        source = self._wanted(verify)
        if source is not None:
            spec = source.spec
            plan = await until_there(lambda: prepare(verify.ref, verify.run, spec, cluster=self.cluster, read=self.api.secret))
            if self._wanted(verify) is not None:
                _log.info("%s verification started", verify.run.trigger, extra={"source": verify.ref.key, "run": verify.run.id})
                return await self.runner.verify(plan)
        return Outcome(run=verify.run.id, result="Interrupted", next=Next.RETRY, reason="Cancelled", message="called off before it began")

    def _wanted(self, verify: Verify) -> Source | None:
        """The source, unless it is gone or its verification was called off."""
        source = self.fleet.source(verify.ref.key)
        run = source.verifying if source is not None else None
        return source if run is not None and run.id == verify.run.id and not run.cancelled else None
