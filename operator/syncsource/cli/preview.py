"""``syncsource preview``."""

from __future__ import annotations

import click
import msgspec
from rich.console import Console
from rich.text import Text

from syncsource.cli.output import emit, output_option
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, here_or_there
from syncsource.engine.previewing import Preview, Previewed
from syncsource.errors import outside_text
from syncsource.runner.here import preview_here

_COLOURS = {"Insert": "green", "Update": "yellow", "Unchanged": "dim", "Skip": "dim", "Quarantine": "red"}


@click.command("preview")
@here_or_there
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many records to look at.")
@output_option
def preview(where: Where, limit: int, output: str) -> None:
    """The first records of NAME, typed, and what a run would do with each; nothing is written.

    It reads from the source's beginning, whatever the cursor is; of a source with partitions, the first one. What only a constraint
    or a trigger of the table would refuse is not foreseen.

    With -f that is done here and now, without Kubernetes; otherwise the operator does it, asked by a SyncRun, and tells how many records a run would
    insert, update and leave.

    Exits with 0 where the source could be read, 1 where not, 2 where the manifest can't be used.
    """
    if not where.is_here:
        done = where.ask("Preview", limit=limit)
        done.emit(output)
        raise SystemExit(0 if done.good else 1)
    plan = where.plan()
    found = preview_here(plan, stopped_by_signals(), limit)
    if output == "table":
        _show(found, "line" if "csv" in plan.spec["source"] else "record")
    else:
        emit(msgspec.to_builtins(found), output, str)


def _show(found: Preview, unit: str) -> None:
    console = Console(highlight=False, soft_wrap=True)
    table = f"{found.table}, which the run would create" if found.creates else found.table
    partition = f", partition {found.partition}" if found.partition else ""
    console.print(Text(f"{len(found.records):,} record{'s' * (len(found.records) != 1)} for {table}{partition}"))
    for one in found.records:
        console.print(_head(one, unit))
        for line in _values(found, one):
            console.print(Text(line))


def _head(one: Previewed, unit: str) -> Text:
    place = f"{one.place}, {unit} {one.position}" if one.place else f"{unit} {one.position}"
    why = f": {one.reason}: {one.message}" if one.reason else f": {', '.join(one.changed)}" if one.changed else ""
    return Text.assemble(f"\n{place}  ", (one.action, _COLOURS[one.action]), outside_text(why, 500))


def _values(found: Preview, one: Previewed) -> list[str]:
    width = max(len(outside_text(name)) for name in found.fields)
    marked = [("~" if name in one.changed else " ", outside_text(name), value) for name, value in one.values.items()]
    return [f"  {mark} {name:<{width}}  {'NULL' if value is None else outside_text(value, 120)}" for mark, name, value in marked]
