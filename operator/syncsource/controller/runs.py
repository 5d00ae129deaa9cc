"""Where runs execute, as the controller sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.resource.syncrun import SyncRunSpec


class Runner(Protocol):
    """Executes runs. A run that fails is an outcome, and so is a worker that died."""

    @property
    def slots(self) -> int:
        """Runs at a time; the controller keeps to it."""
        ...

    async def start(self) -> None:
        """Be ready to run."""

    async def run(self, plan: RunPlan, progress: Callable[[Progress], None]) -> Outcome:
        """Execute the plan. Never raises for a failed run."""
        ...

    async def verify(self, plan: RunPlan) -> Outcome:
        """Compare the plan's source with its table. Never raises for what fails."""
        ...

    async def act(self, plan: RunPlan, asked: SyncRunSpec) -> Outcome:
        """Do what a SyncRun asks for that is no run. Never raises for what fails."""
        ...

    async def settle(self, plan: RunPlan) -> Outcome:
        """What became of a run, or an action that the ledger knows of, whose operator is gone: succeeded where it had committed, else interrupted. Never raises."""
        ...

    def cancel(self, run: str) -> None:
        """Stop the run, verification or action at its next batch: ``run()``, ``verify()`` or ``act()`` then returns an Interrupted outcome. Unknown runs are ignored."""

    async def stop(self, grace: float) -> None:
        """Cancel what runs, wait at most ``grace`` seconds for it, end."""
