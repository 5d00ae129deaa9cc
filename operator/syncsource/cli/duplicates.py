"""``syncsource duplicates``."""

from __future__ import annotations

import click
import msgspec

from syncsource.cli.asking import ask
from syncsource.cli.main import Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import ended
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Done, Where, here_or_there
from syncsource.destinations import Rule
from syncsource.engine import duplicates as engine
from syncsource.engine.duplicates import Duplicates, Fixed
from syncsource.engine.plan import RunPlan
from syncsource.errors import outside_text
from syncsource.resource.runstatus import SharedKeys

_SHOWN = 20


@click.command()
@here_or_there
@click.option("--fix", "fixes", is_flag=True, help="Keep one row of each key, and delete the others.")
@click.option("--keep", type=click.Choice(["lowest", "highest"]), help="Which row stays: by --by. Absent: the lowest.")
@click.option("--by", metavar="COLUMN", help="What decides which row stays. Absent: the primary key.")
@click.option("--plan", "plans", is_flag=True, help="Only show what --fix would do.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@output_option
def duplicates(
    where: Where,
    fixes: bool,
    keep: str | None,
    by: str | None,
    plans: bool,
    yes: bool,
    output: str,
) -> None:
    """Rows of the table of NAME that share a key, as its columns compare. A row without a value in a field of the key shares it with none.

    --fix keeps the row with the lowest or highest value of --by (no value is neither; of equals the one with the lowest primary key), and deletes
    the others in one transaction, which `syncsource undo` takes back. The plan is shown first, and is asked about on a terminal; elsewhere --yes
    is needed.

    With -f that is done here and now, without Kubernetes; otherwise the operator does it, asked by a SyncRun, and keys are not shown.

    Exits with 0 where there are none or they are gone, 1 where there are or it did not work, 2 where the manifest can't be used.
    """
    if not fixes and (keep or by or plans or yes):
        raise Unusable("--keep, --by, --plan and --yes go with --fix")
    rule = Rule(by=by, highest=keep == "highest")
    if not where.is_here:
        _ask(where, fixes, rule, plans=plans, yes=yes, output=output)
    elif fixes:
        _fix(where.plan(), rule, plans=plans, yes=yes, output=output)
    else:
        _find(where.plan(), output)


def _find(plan: RunPlan, output: str) -> None:
    found = engine.find(plan, stopped_by_signals(), _SHOWN)
    emit(msgspec.to_builtins(found), output, lambda: _told(found))
    raise SystemExit(1 if found.groups else 0)


def _fix(plan: RunPlan, rule: Rule, *, plans: bool, yes: bool, output: str) -> None:
    stop = stopped_by_signals()
    foreseen = engine.foresee(plan, rule, stop)
    if plans:
        emit(msgspec.to_builtins(foreseen), output, lambda: _planned(foreseen, rule))
        return
    if foreseen.deleted and not yes:
        ask(_planned(foreseen, rule), "Delete them?")
    outcome, done = engine.fix(plan, rule, stop)
    emit({**msgspec.to_builtins(outcome), "fixed": msgspec.to_builtins(done)}, output, lambda: ended(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _ask(where: Where, fixes: bool, rule: Rule, *, plans: bool, yes: bool, output: str) -> None:
    """The same by the operator, which tells no keys."""
    if not fixes:
        found = where.ask("Duplicates").checked()
        found.emit(output)
        raise SystemExit(1 if _shared(found).keys else 0)
    how = {"fix": True, "keep": "Highest" if rule.highest else "Lowest", "by": rule.by}
    if plans or not yes:
        foreseen = where.ask("Duplicates", **how, dryRun=True).checked()
        there = _shared(foreseen)
        fixed = Fixed(kept=there.kept or 0, deleted=there.deleted or 0)
        if plans:
            return foreseen.emit(output, _planned(fixed, rule))
        if fixed.deleted:
            ask(_planned(fixed, rule), "Delete them?")
    done = where.ask("Duplicates", **how)
    done.emit(output)
    raise SystemExit(0 if done.good else 1)


def _shared(done: Done) -> SharedKeys:
    found = done.status.result.duplicates if done.status.result else None
    assert found is not None
    return found


def _told(found: Duplicates) -> str:
    key = ", ".join(found.keys)
    if not found.groups:
        return f"{found.table}: no two rows share a key ({key})"
    head = f"{found.table}: {found.groups:,} keys ({key}) have more than one row, {found.surplus:,} rows too many"
    rows = [(_key(one.key), f"{one.rows:,}") for one in found.examples]
    more = found.groups - len(found.examples)
    return "\n".join([head, "", columns(("KEY", "ROWS"), rows), *([f"and {more:,} more"] if more else [])])


def _key(key: dict[str, str | None]) -> str:
    return outside_text(", ".join(f"{name}={value}" for name, value in key.items()), 80)


def _planned(fixed: Fixed, rule: Rule) -> str:
    if not fixed.deleted:
        return "No two rows share a key"
    which = f"the {'highest' if rule.highest else 'lowest'} {rule.by or 'primary key'}"
    return f"{fixed.deleted:>12,}  rows to be deleted\n{fixed.kept:>12,}  rows of the same keys to stay, those with {which}"
