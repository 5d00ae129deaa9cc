"""A run that happens here, as a terminal shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from syncsource.engine.plan import Outcome, Progress


@contextmanager
def shown(name: str) -> Iterator[Callable[[Progress], None]]:
    """A line that moves while the run does, on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from syncsource.cli.moving import moving_line  # here, since rich takes a while to import, and only people need it

    with moving_line() as bar:
        task = bar.add_task(name, total=None, told="connecting")
        yield lambda moved: bar.update(task, told=_moved(moved))


def _moved(progress: Progress) -> str:
    told = f"{progress.phase.lower()}: {progress.read:,} records, {progress.pages:,} pages"
    if progress.partitions is None:
        return told
    return f"{progress.partitions.succeeded + progress.partitions.failed:,}/{progress.partitions.total:,} partitions, {told}"


def sentence(outcome: Outcome) -> str:
    """What became of a run, for people."""
    if outcome.result != "Succeeded":
        return f"{outcome.result} after {outcome.seconds:.1f}s: {outcome.reason}: {outcome.message}"
    if outcome.partitions is not None:
        return f"Succeeded in {outcome.seconds:.1f}s: {outcome.message}"
    counts = outcome.counts
    parts = (("read", counts.read), ("inserted", counts.inserted), ("updated", counts.updated), ("unchanged", counts.unchanged))
    more = (
        ("skipped", counts.skipped),
        ("quarantined", counts.quarantined),
        ("deleted", counts.deleted),
        ("conflicts", counts.conflicts),
        ("billed document reads", outcome.document_reads),
    )
    told = ", ".join(f"{count:,} {word}" for word, count in (*parts, *((word, count) for word, count in more if count)))
    return f"Succeeded in {outcome.seconds:.1f}s: {told}" + (f"\n{outcome.message}" if outcome.message else "")


def ended(outcome: Outcome) -> str:
    """What became of a command that is a run of its own, whose message tells all."""
    return f"Succeeded in {outcome.seconds:.1f}s: {outcome.message}" if outcome.result == "Succeeded" else sentence(outcome)
