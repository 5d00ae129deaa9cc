"""``syncsource conflicts``."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from syncsource.cli.main import Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import sentence
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, chosen, here_or_there, only_here
from syncsource.engine import conflicts as engine
from syncsource.engine.conflicts import Conflict, Side
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.errors import outside_text

HEAD = ("ID", "KEY", "COLUMN", "SOURCE", "DESTINATION", "SEEN")
_ALL = "all"


@click.command()
@here_or_there
@click.option("--take-source", metavar="ID", multiple=True, help="Write the source's value; all: of each conflict. May be repeated.")
@click.option("--keep", metavar="ID", multiple=True, help="Keep the table's value; all: of each conflict. May be repeated.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many conflicts to list.")
@output_option
def conflicts(
    where: Where,
    take_source: tuple[str, ...],
    keep: tuple[str, ...],
    limit: int,
    output: str,
) -> None:
    """The columns of rows of NAME that both the source and people changed, where spec.write.conflict is Manual: list them, or resolve them.

    An ID is the beginning of what the list shows. A conflict that is resolved stays so until the source changes the column again.
    One ends by itself where both sides are alike again. Values of fields that are marked sensitive are masked.

    With -f that is done here and now, without Kubernetes; otherwise the operator resolves, asked by a SyncRun.

    Exits with 0 where it worked, 1 where not, 2 where the manifest can't be used.
    """
    if take_source and keep:
        raise Unusable("choose one of --take-source and --keep")
    only_here(where, "limit")
    side: Side = "Source" if take_source else "Destination"
    if not where.is_here:
        _ask(where, take_source or keep, side, output)
    elif take_source or keep:
        _resolve(where.plan(), take_source or keep, side, output)
    else:
        _look(where.plan(), limit, output)


def _ask(where: Where, ids: Sequence[str], side: Side, output: str) -> None:
    """The same by the operator."""
    if not ids:
        raise Unusable("conflicts are shown with -f only: choose --take-source or --keep, or give the manifest with -f")
    done = where.ask("ResolveConflict", **chosen(ids), resolve=side)
    done.emit(output)
    raise SystemExit(0 if done.good else 1)


def _resolve(plan: RunPlan, ids: Sequence[str], side: Side, output: str) -> None:
    outcome = engine.resolve(plan, None if _ALL in ids else ids, side, stopped_by_signals())
    emit(msgspec.to_builtins(outcome), output, lambda: _ended(outcome))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _ended(outcome: Outcome) -> str:
    if outcome.result != "Succeeded":
        return sentence(outcome)
    return f"Succeeded in {outcome.seconds:.1f}s: {outcome.message}"


def _look(plan: RunPlan, limit: int, output: str) -> None:
    found, total = engine.look(plan, limit)
    more = f"\n{total - len(found):,} more: --limit lists them" if total > len(found) else ""
    told = {"total": total, "conflicts": msgspec.to_builtins(found)}
    emit(told, output, lambda: columns(HEAD, list(map(_row, found))) + more if found else "No conflicts")


def _row(one: Conflict) -> tuple[str, ...]:
    key = ", ".join(f"{name}={_value(value)}" for name, value in one.key.items())
    return (one.id, outside_text(key, 60), one.column, _value(one.source), _value(one.destination), one.seen[:19] + "Z")


def _value(value: str | None) -> str:
    return "NULL" if value is None else outside_text(value, 40)
