"""``syncsource restore``."""

from __future__ import annotations

import click
import msgspec

from syncsource.cli.asking import ask, numbered
from syncsource.cli.main import Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import ended
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, here_or_there, only_here
from syncsource.engine import backups as engine
from syncsource.engine.backups import Restoring
from syncsource.engine.plan import RunPlan
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.status import format_time

HEAD = ("ID", "MADE", "ROWS")


@click.command()
@here_or_there
@click.option("--backup", metavar="ID", help="The backup to restore, by the beginning of its id. Absent: the newest.")
@click.option("--list", "lists", is_flag=True, help="The backups that there are.")
@click.option("--plan", "plans", is_flag=True, help="Only show what would be done to rows.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@output_option
def restore(
    where: Where,
    backup: str | None,
    lists: bool,
    plans: bool,
    yes: bool,
    output: str,
) -> None:
    """Make the rows of the table of NAME those of a backup again, all in one transaction: rows that were changed since are set back, those that
    were added since go, those that are gone come back. What people did since is lost, too; `syncsource undo` takes back only what a run did.

    Backups are made where spec.safety.backup is set; those in files are looked for in its directory on this machine. The plan is shown first, and is asked about on a terminal; elsewhere --yes is needed.

    With -f that is done here and now, without Kubernetes; otherwise the operator does it, asked by a SyncRun.

    Exits with 0 where it worked, 1 where not, 2 where the manifest can't be used.
    """
    if lists and (backup or plans or yes):
        raise Unusable("--list goes with none of --backup, --plan and --yes")
    only_here(where, "lists")
    if lists:
        _list(where.plan(), output)
    elif where.is_here:
        _restore(where.plan(), backup, plans=plans, yes=yes, output=output)
    else:
        _ask(where, backup, plans=plans, yes=yes, output=output)


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


def _ask(where: Where, backup: str | None, *, plans: bool, yes: bool, output: str) -> None:
    """The same by the operator."""
    if plans or not yes:
        foreseen = where.ask("Restore", backup=backup, dryRun=True).checked()
        restored = foreseen.status.result.restored if foreseen.status.result else None
        assert restored is not None
        told = _planned(Restoring(**{field: getattr(restored, field) for field in Restoring.__struct_fields__}))
        if plans:
            return foreseen.emit(output, told)
        ask(told, "Restore it?")
        backup = restored.backup
    done = where.ask("Restore", backup=backup)
    done.emit(output)
    raise SystemExit(0 if done.good else 1)


def _planned(one: Restoring) -> str:
    lines = [
        (one.restored, "changed since, to be set back"),
        (one.removed, "added since, to be removed"),
        (one.reinserted, "gone since, to be inserted again"),
    ]
    return numbered(f"Backup {one.backup} of {format_time(one.made_at)}:", lines, "the table is as it is there")
