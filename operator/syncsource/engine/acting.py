"""The actions of SyncRuns as outcomes: counts, reasons and names of columns, and nothing of any record. Those that are runs are :mod:`executing`'s."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from syncsource.destinations import Rule
from syncsource.engine import backups, conflicts, duplicates, quarantine, undoing
from syncsource.engine.checking import Finding, check
from syncsource.engine.ending import failed, known
from syncsource.engine.executing import OpenSource
from syncsource.engine.measuring import measured
from syncsource.engine.plan import Counts, Outcome, RunPlan
from syncsource.engine.previewing import preview
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.errors import outside_text
from syncsource.resource.syncrun import SyncRunSpec
from syncsource.sources.hosts import Hosts
from syncsource.sources.opening import open_source

PREVIEWED = 100
"""Records that Preview looks at, where spec.limit does not say."""
_TOLD = 500
"""Characters of a step's message."""

_COUNTED = {"Insert": "inserted", "Update": "updated", "Unchanged": "unchanged", "Skip": "skipped", "Quarantine": "quarantined"}


@dataclass(frozen=True, slots=True)
class _Action:
    plan: RunPlan
    asked: SyncRunSpec
    hosts: Hosts
    stop: Stop

    @property
    def opened(self) -> OpenSource:
        return partial(open_source, hosts=self.hosts, cancelled=self.stop.event, files=self.plan.files)

    def succeeded(self, message: str, **more: Any) -> Outcome:
        return Outcome(run=self.plan.run, result="Succeeded", message=message, **more)


def act(plan: RunPlan, asked: SyncRunSpec, *, hosts: Hosts, stop: Stop) -> Outcome:
    """Do what is asked. Never raises: what goes wrong is in the outcome."""
    started, action = time.monotonic(), _Action(plan, asked, hosts, stop)
    try:
        outcome = _DONE_BY[asked.action](action)
    except Exception as error:
        outcome = failed(plan, stop.cause_of(known(error)))
    message = redact(outcome.message, plan.secrets)
    return msgspec.structs.replace(outcome, seconds=round(time.monotonic() - started, 3), message=message)


def _undo(action: _Action) -> Outcome:
    plan, asked, stop = action.plan, action.asked, action.stop
    if asked.dry_run:
        foreseen = undoing.foresee(plan, asked.run, stop)
        return action.succeeded(f"run {foreseen.run} can be undone; nothing was changed", found={"undone": _plain(foreseen)})
    outcome, done = undoing.undo(plan, asked.run, stop, rewind=bool(asked.rewind))
    return _found(outcome, "undone", done)


def _restore(action: _Action) -> Outcome:
    plan, asked, stop = action.plan, action.asked, action.stop
    if asked.dry_run:
        foreseen = backups.foresee(plan, asked.backup, stop)
        return action.succeeded(f"backup {foreseen.backup} can be restored; nothing was changed", found={"restored": _plain(foreseen)})
    outcome, done = backups.restore(plan, asked.backup, stop)
    return _found(outcome, "restored", done)


def _duplicates(action: _Action) -> Outcome:
    plan, asked, stop = action.plan, action.asked, action.stop
    rule = Rule(by=asked.by, highest=asked.keep == "Highest", field="spec.by")
    if not asked.fix:
        there = duplicates.find(plan, stop, 1)
        told = (
            f"{there.groups:,} keys have more than one row, {there.surplus:,} rows too many" if there.groups else "no two rows share a key"
        )
        return action.succeeded(told, found={"duplicates": {"keys": there.groups, "surplus": there.surplus}})
    if asked.dry_run:
        foreseen = duplicates.foresee(plan, rule, stop)
        told = f"{foreseen.deleted:,} duplicates would be deleted; nothing was changed"
        return action.succeeded(told, found={"duplicates": _plain(foreseen)})
    outcome, done = duplicates.fix(plan, rule, stop)
    return _found(outcome, "duplicates", done)


def _verify(action: _Action) -> Outcome:
    outcome = measured(action.plan, action.asked.sample, hosts=action.hosts, stop=action.stop)
    found = outcome.verified
    assert found is not None
    share = "nothing to compare" if found.accuracy is None else f"{found.accuracy} % of {found.cells:,} cells are equal"
    told = f"{share}: {found.rows:,} rows, {found.missing:,} missing, {found.different:,} different"
    return action.succeeded(told, found={"verified": _plain(found)})


def _test(action: _Action) -> Outcome:
    findings: list[Finding] = []
    good = check(action.plan, opened=action.opened, stop=action.stop, found=findings.append)
    action.stop.check()
    steps = [_step(one) for one in findings]
    if not good:
        wrong = next(one for one in findings if one.result == "Failed")
        return Outcome(
            run=action.plan.run, result="Failed", reason=wrong.reason, message=f"{wrong.step}: {wrong.message}", found={"steps": steps}
        )
    warnings = sum(one.result == "Warning" for one in findings)
    return action.succeeded(f"{len(steps)} steps, {warnings} warning{'s' * (warnings != 1)}", found={"steps": steps})


def _preview(action: _Action) -> Outcome:
    found = preview(action.plan, opened=action.opened, stop=action.stop, limit=action.asked.limit or PREVIEWED)
    done = Counter(_COUNTED[one.action] for one in found.records)
    where = f" of partition {found.partition}" if found.partition else ""
    told = ", ".join(f"{done[word]:,} {word}" for word in _COUNTED.values() if done[word]) or "none"
    message = f"of the first {len(found.records):,} records{where}: {told}; nothing was written"
    counts = msgspec.structs.asdict(Counts(read=len(found.records), **done))
    return action.succeeded(message, found={"counts": counts, "creates": found.creates})


def _retry(action: _Action) -> Outcome:
    outcome = quarantine.retry(action.plan, action.asked.ids, action.stop)
    done, left = outcome.counts, outcome.quarantined_total
    if outcome.result == "Succeeded":
        told = f"{done.read:,} record{'s' * (done.read != 1)} tried, {done.changed + done.unchanged:,} written, {left:,} left in quarantine"
        outcome = msgspec.structs.replace(outcome, message="; ".join(filter(None, (told, outcome.message))))
    return _left(_found(outcome), "quarantined", left)


def _discard(action: _Action) -> Outcome:
    gone = quarantine.discard(action.plan, action.asked.ids)
    _, left = quarantine.look(action.plan, limit=1)
    told = f"{gone:,} record{'s' * (gone != 1)} discarded, {left:,} left"
    return action.succeeded(told, quarantined_total=left, found={"discarded": gone, "quarantined": left})


def _resolve(action: _Action) -> Outcome:
    assert action.asked.resolve is not None
    outcome = conflicts.resolve(action.plan, action.asked.ids, action.asked.resolve, action.stop)
    return _left(_found(outcome), "conflicts", outcome.conflicts_total)


_DONE_BY: dict[str, Callable[[_Action], Outcome]] = {
    "Undo": _undo,
    "Restore": _restore,
    "Duplicates": _duplicates,
    "Verify": _verify,
    "TestConnection": _test,
    "Preview": _preview,
    "RetryQuarantined": _retry,
    "DiscardQuarantined": _discard,
    "ResolveConflict": _resolve,
}


def _found(outcome: Outcome, name: str = "", done: msgspec.Struct | None = None) -> Outcome:
    """The outcome with its counts, and what else was done, among what it found."""
    if outcome.result != "Succeeded" and not outcome.counts.changed:
        return outcome
    more = {name: _plain(done)} if done is not None else {}
    return msgspec.structs.replace(outcome, found={"counts": msgspec.structs.asdict(outcome.counts), **more})


def _left(outcome: Outcome, name: str, total: int) -> Outcome:
    """What is left of what was chosen from: known where it worked."""
    return msgspec.structs.replace(outcome, found={**outcome.found, name: total}) if outcome.result == "Succeeded" else outcome


def _plain(done: msgspec.Struct) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(done)
    return told


def _step(finding: Finding) -> dict[str, Any]:
    """What a step found, without values of records."""
    told = {"step": finding.step, "result": finding.result, "reason": finding.reason}
    return {**told, "message": outside_text(finding.message, _TOLD)}
