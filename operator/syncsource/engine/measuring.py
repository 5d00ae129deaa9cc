"""A verification as the operator has it done: what it found as an outcome, with counts and the names of columns and nothing of any record."""

from __future__ import annotations

import time
from functools import partial

import msgspec

from syncsource.engine.ending import failed, known
from syncsource.engine.plan import Accuracy, Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.engine.verifying import Verified, verify
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources.hosts import Hosts
from syncsource.sources.opening import open_source

MOST_COLUMNS = 20
"""Those that differ most are told: status has its limits."""


def measure(plan: RunPlan, *, hosts: Hosts, stop: Stop) -> Outcome:
    """Compare the source with the table as ``spec.safety.verify`` says. Never raises: what goes wrong is in the outcome."""
    started = time.monotonic()
    try:
        asked = SyncSourceSpec.model_validate(plan.spec).safety.verify
        outcome = measured(plan, asked.sample if asked is not None else None, hosts=hosts, stop=stop)
    except Exception as error:
        outcome = failed(plan, known(error))
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3))


def measured(plan: RunPlan, sample: int | None, *, hosts: Hosts, stop: Stop) -> Outcome:
    """The same with so many records of each partition; None: all. Raises a SyncError that holds no secret."""
    opened = partial(open_source, hosts=hosts, cancelled=stop.event, files=plan.files)
    found = verify(plan, opened=opened, stop=stop, limit=sample, progress=lambda moved: None)
    return Outcome(run=plan.run, result="Succeeded", verified=_accuracy(found, sample))


def _accuracy(found: Verified, sample: int | None) -> Accuracy:
    counts = {name: getattr(found, name) for name in Accuracy.__struct_fields__ if name not in ("columns", "sample")}
    most = sorted(found.columns.items(), key=lambda one: (-one[1], one[0]))[:MOST_COLUMNS]
    return Accuracy(**counts, columns=dict(most), sample=sample)
