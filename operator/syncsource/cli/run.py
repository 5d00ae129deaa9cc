"""``syncsource run``."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from syncsource.cli.output import emit, output_option
from syncsource.cli.planning import from_files, plan_of
from syncsource.engine import plan as planned
from syncsource.engine.stopping import Stop
from syncsource.runner.here import run_here


@click.command("run")
@from_files
@click.option("--full", is_flag=True, help="Ignore the cursor and read everything.")
@output_option
def run(files: tuple[str, ...], name: str | None, env_file: str | None, full: bool, output: str) -> None:
    """Run one SyncSource, here and now, without Kubernetes.

    Secrets come from the same files, then from --env-file, then from the environment. Cursor and history are kept in
    the destination's ledger, so that the next run goes on where this one ended.

    Exits with 0 where the run succeeded, 1 where it failed, 2 where the manifest can't be used.
    """
    plan = plan_of(files, name, env_file, full=full)
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
    with _shown(plan.identity.removeprefix("local/")) as show:
        outcome = run_here(plan, stop, show)
    emit(msgspec.to_builtins(outcome), output, lambda: _sentence(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


@contextmanager
def _shown(name: str) -> Iterator[Callable[[planned.Progress], None]]:
    """A line that moves while the run does, on a terminal; nothing elsewhere."""
    console = Console(stderr=True)
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    line = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(pulse_style="cyan"),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    with Progress(*line, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None, told="connecting")
        yield lambda moved: bar.update(task, told=f"{moved.phase.lower()}: {moved.read:,} records, {moved.pages:,} pages")


def _sentence(outcome: planned.Outcome) -> str:
    if outcome.result != "Succeeded":
        return f"{outcome.result} after {outcome.seconds:.1f}s: {outcome.reason}: {outcome.message}"
    counts = outcome.counts
    parts = (("read", counts.read), ("inserted", counts.inserted), ("updated", counts.updated), ("unchanged", counts.unchanged))
    more = (("skipped", counts.skipped), ("quarantined", counts.quarantined))
    told = ", ".join(f"{count:,} {word}" for word, count in (*parts, *((word, count) for word, count in more if count)))
    return f"Succeeded in {outcome.seconds:.1f}s: {told}" + (f"\n{outcome.message}" if outcome.message else "")
