"""``syncsource run``."""

from __future__ import annotations

import secrets
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from syncsource.cli.main import Unusable
from syncsource.cli.manifests import Document, find_secrets, load, sync_sources, variable
from syncsource.cli.output import emit, output_option
from syncsource.engine import plan as planned
from syncsource.engine.stopping import Stop
from syncsource.resource.syncsource import parse
from syncsource.resource.validation import admitted, problems
from syncsource.runner.here import run_here


@click.command("run")
@click.option(
    "-f", "--filename", "files", multiple=True, required=True, help="Files with the SyncSource and its Secrets; - is standard input."
)
@click.option("--name", help="Which SyncSource, where the files have several.")
@click.option("--full", is_flag=True, help="Ignore the cursor and read everything.")
@click.option("--env-file", help="File with lines NAME=value for Secrets that no file has: Secret db, key url is DB_URL.")
@output_option
def run(files: tuple[str, ...], name: str | None, full: bool, env_file: str | None, output: str) -> None:
    """Run one SyncSource, here and now, without Kubernetes.

    Secrets come from the same files, then from --env-file, then from the environment. Cursor and history are kept in
    the destination's ledger, so that the next run goes on where this one ended.

    Exits with 0 where the run succeeded, 1 where it failed, 2 where the manifest can't be used.
    """
    documents = load(files)
    plan = _plan(_choose(documents, name), documents, full, env_file)
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
    with _shown(plan.identity.removeprefix("local/")) as show:
        outcome = run_here(plan, stop, show)
    emit(msgspec.to_builtins(outcome), output, lambda: _sentence(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _choose(documents: list[Document], name: str | None) -> Document:
    found = [document for document in sync_sources(documents) if name in (None, document.name)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(document.name for document in sync_sources(documents))
    if not found:
        raise Unusable(f"no SyncSource {f'named {name} ' if name else ''}in the files" + (f"; there are: {names}" if names else ""))
    raise Unusable(f"the files have several SyncSources ({names}): choose one with --name")


def _plan(document: Document, documents: list[Document], full: bool, env_file: str | None) -> planned.RunPlan:
    wrong = problems(document.manifest)
    if wrong:
        raise Unusable(f"{document.place} is not valid:\n" + "\n".join(f"  {problem}" for problem in wrong))
    manifest = admitted(document.manifest)
    source = parse(manifest)
    values = find_secrets(documents, source.spec.secret_keys, env_file)
    missing = [(secret, key) for secret, key in source.spec.secret_keys if key not in values.get(secret, {})]
    if missing:
        lines = "\n".join(f"  Secret {secret}, key {key}: add it to the files, or set {variable(secret, key)}" for secret, key in missing)
        raise Unusable(f"{source.name} needs Secrets that were not given:\n{lines}")
    return planned.RunPlan(
        run=secrets.token_hex(6), identity=f"local/{source.name}", trigger="Request", full=full, spec=manifest["spec"], secrets=values
    )


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
