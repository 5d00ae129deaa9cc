"""``syncsource undo``."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import msgspec

from syncsource.cli.asking import ask, numbered
from syncsource.cli.main import Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import ended
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, here_or_there, only_here
from syncsource.engine import undoing as engine
from syncsource.engine.plan import RunPlan
from syncsource.engine.undoing import Undoing
from syncsource.ledger import Undoable
from syncsource.resource.status import format_time

AND_CURSORS = "\nThe cursors go back, too."
HEAD = ("RUN", "TRIGGER", "STARTED", "RESULT", "ROWS", "KEPT UNTIL", "UNDONE BY")


@click.command()
@here_or_there
@click.option("--run", metavar="ID", help="The run to undo, by the beginning of its id. Absent: the last one.")
@click.option("--list", "lists", is_flag=True, help="The runs that can be undone.")
@click.option("--plan", "plans", is_flag=True, help="Only show what would be done to rows.")
@click.option("--rewind", is_flag=True, help="Set the cursors back, too: the next run reads again what this run had read.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@output_option
def undo(
    where: Where,
    run: str | None,
    lists: bool,
    plans: bool,
    rewind: bool,
    yes: bool,
    output: str,
) -> None:
    """Take back what a run of NAME did to rows: those that it changed get their former values, those that it inserted go, those that it
    deleted come back, all in one transaction. Rows that somebody has changed since are left alone, and counted.

    It needs spec.safety.undo at the time of the run. The plan is shown first, and is asked about on a terminal; elsewhere --yes is needed.

    With -f that is done here and now, without Kubernetes; otherwise the operator does it, asked by a SyncRun.

    Exits with 0 where it worked, 1 where not, 2 where the manifest can't be used.
    """
    if lists and (run or plans or rewind or yes):
        raise Unusable("--list goes with none of --run, --plan, --rewind and --yes")
    only_here(where, "lists")
    if lists:
        _list(where.plan(), output)
    elif where.is_here:
        _undo(where.plan(), run, plans=plans, rewind=rewind, yes=yes, output=output)
    else:
        _ask(where, run, plans=plans, rewind=rewind, yes=yes, output=output)


def _list(plan: RunPlan, output: str) -> None:
    found = engine.listed(plan)
    told = [_plain(one) for one in found]
    emit(told, output, lambda: columns(HEAD, list(map(_row, found))) if found else "No run can be undone")


def _undo(plan: RunPlan, run: str | None, *, plans: bool, rewind: bool, yes: bool, output: str) -> None:
    stop = stopped_by_signals()
    foreseen = engine.foresee(plan, run, stop)
    if plans:
        emit(msgspec.to_builtins(foreseen), output, lambda: _told(foreseen))
        return
    if not yes:
        ask(_told(foreseen) + (AND_CURSORS if rewind else ""), "Undo it?")
    outcome, done = engine.undo(plan, foreseen.run, stop, rewind=rewind)
    emit({**msgspec.to_builtins(outcome), "undone": msgspec.to_builtins(done)}, output, lambda: ended(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _ask(where: Where, run: str | None, *, plans: bool, rewind: bool, yes: bool, output: str) -> None:
    """The same by the operator."""
    if plans or not yes:
        foreseen = where.ask("Undo", run=run, dryRun=True).checked()
        undone = foreseen.status.result.undone if foreseen.status.result else None
        assert undone is not None
        told = _told(Undoing(**{field: getattr(undone, field) for field in Undoing.__struct_fields__}))
        if plans:
            return foreseen.emit(output, told)
        ask(told + (AND_CURSORS if rewind else ""), "Undo it?")
        run = undone.run
    done = where.ask("Undo", run=run, rewind=rewind or None)
    done.emit(output)
    raise SystemExit(0 if done.good else 1)


def _told(one: Undoing) -> str:
    lines = [
        (one.restored, "to their former values"),
        (one.removed, "that it had inserted, to be removed"),
        (one.reinserted, "that it had deleted, to be inserted again"),
        (one.left, "changed or removed since, to be left alone"),
    ]
    return numbered(f"Run {one.run} of {format_time(one.started_at)}:", lines, "nothing to undo")


def _plain(one: Undoable) -> dict[str, object]:
    record = one.record
    return {
        "run": record.run,
        "trigger": record.trigger,
        "startedAt": format_time(record.started_at),
        "result": record.result,
        "rows": one.rows,
        "keptUntil": format_time(one.keep_until),
        "undoneBy": one.undone_by,
    }


def _row(one: Undoable) -> tuple[str, ...]:
    record = one.record
    until = format_time(one.keep_until) if one.keep_until > datetime.now(UTC) else "gone with the next run"
    return (record.run, record.trigger, format_time(record.started_at), record.result, f"{one.rows:,}", until, one.undone_by or "")
