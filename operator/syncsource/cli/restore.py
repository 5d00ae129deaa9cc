"""``syncsource restore``."""

from __future__ import annotations

import click
import msgspec

from syncsource.cli.asking import ask, numbered
from syncsource.cli.main import Fail, Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.planning import from_files, names_in_files, plan_of
from syncsource.cli.showing import ended
from syncsource.cli.stopping import stopped_by_signals
from syncsource.engine import backups as engine
from syncsource.engine.backups import Restoring
from syncsource.engine.plan import RunPlan
from syncsource.errors import SyncError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import format_time

HEAD = ("ID", "MADE", "ROWS")


@click.command()
@click.argument("source", metavar="NAME", required=False, shell_complete=names_in_files)
@from_files
@click.option("--backup", metavar="ID", help="The backup to restore, by the beginning of its id. Absent: the newest.")
@click.option("--list", "lists", is_flag=True, help="The backups that there are.")
@click.option("--plan", "plans", is_flag=True, help="Only show what would be done to rows.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@output_option
def restore(
    source: str | None,
    files: tuple[str, ...],
    name: str | None,
    env_file: str | None,
    backup: str | None,
    lists: bool,
    plans: bool,
    yes: bool,
    output: str,
) -> None:
    """Make the rows of the table of NAME those of a backup again, all in one transaction: rows that were changed since are set back, those that
    were added since go, those that are gone come back. What people did since is lost, too; `syncsource undo` takes back only what a run did.

    Backups are made where spec.safety.backup is set; those in files are looked for in its directory on this machine. The plan is shown first, and is asked about on a terminal; elsewhere --yes is needed.

    Exits with 0 where it worked, 1 where not, 2 where the manifest can't be used.
    """
    if lists and (backup or plans or yes):
        raise Unusable("--list goes with none of --backup, --plan and --yes")
    plan = plan_of(files, source or name, env_file)
    try:
        if lists:
            _list(plan, output)
        else:
            _restore(plan, backup, plans=plans, yes=yes, output=output)
    except SyncError as error:
        raise Fail(f"{error.reason}: {error.message}") from None


def _list(plan: RunPlan, output: str) -> None:
    found, place = engine.listed(plan), "file" if _in_files(plan) else "table"
    rows = [(one.id, format_time(one.made_at), f"{one.rows:,}", one.place) for one in found]
    told = [{"id": one.id, "madeAt": format_time(one.made_at), "rows": one.rows, place: one.place} for one in found]
    emit(told, output, lambda: columns((*HEAD, place.upper()), rows) if found else "There is no backup")


def _in_files(plan: RunPlan) -> bool:
    backup = SyncSourceSpec.model_validate(plan.spec).safety.backup
    return backup is not None and backup.mode == "File"


def _restore(plan: RunPlan, backup: str | None, *, plans: bool, yes: bool, output: str) -> None:
    stop = stopped_by_signals()
    foreseen = engine.foresee(plan, backup, stop)
    if plans:
        emit(msgspec.to_builtins(foreseen), output, lambda: _planned(foreseen))
        return
    if not yes:
        ask(_planned(foreseen), "Restore it?")
    outcome, done = engine.restore(plan, foreseen.backup, stop)
    emit({**msgspec.to_builtins(outcome), "restored": msgspec.to_builtins(done)}, output, lambda: ended(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _planned(one: Restoring) -> str:
    lines = [
        (one.restored, "changed since, to be set back"),
        (one.removed, "added since, to be removed"),
        (one.reinserted, "gone since, to be inserted again"),
    ]
    return numbered(f"Backup {one.backup} of {format_time(one.made_at)}:", lines, "the table is as it is there")
