"""``syncsource run``."""

from __future__ import annotations

import click
import msgspec

from syncsource.cli.output import emit, output_option
from syncsource.cli.planning import from_files, plan_of
from syncsource.cli.showing import sentence, shown
from syncsource.cli.stopping import stopped_by_signals
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
    with shown(plan.identity.removeprefix("local/")) as show:
        outcome = run_here(plan, stopped_by_signals(), show)
    emit(msgspec.to_builtins(outcome), output, lambda: sentence(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)
