"""``syncsource verify``."""

from __future__ import annotations

from decimal import Decimal

import click
import msgspec

from syncsource.cli.main import Fail
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.planning import from_files, names_in_files, plan_of
from syncsource.cli.showing import shown
from syncsource.cli.stopping import stopped_by_signals
from syncsource.engine.verifying import Verified, Wrong
from syncsource.errors import SyncError, outside_text
from syncsource.runner.here import verify_here


@click.command()
@click.argument("source", metavar="NAME", required=False, shell_complete=names_in_files)
@from_files
@click.option("--limit", type=click.IntRange(1), help="Read only so many records of each partition, from the beginning. Absent: all.")
@click.option(
    "--at-least", type=click.FloatRange(0, 100), default=100.0, show_default=True, help="The accuracy, in percent, that is good enough."
)
@output_option
def verify(
    source: str | None, files: tuple[str, ...], name: str | None, env_file: str | None, limit: int | None, at_least: float, output: str
) -> None:
    """How accurate the table of NAME is: the source is read anew and compared with it, cell by cell. Nothing is written.

    Accuracy is the share of equal cells among those of the fields of all records; the cells of rows that the table lacks, and of records that
    are no rows, are not equal. It is rounded down. What people have changed differs, whatever spec.write says of it.

    Exits with 0 where the table is as accurate as it must be, 1 where not or it could not be compared, 2 where the manifest can't be used.
    """
    plan = plan_of(files, source or name, env_file)
    try:
        with shown(source or name or "verify") as progress:
            found = verify_here(plan, stopped_by_signals(), limit, progress)
    except SyncError as error:
        raise Fail(f"{error.reason}: {error.message}") from None
    emit(msgspec.to_builtins(found), output, lambda: _told(found))
    raise SystemExit(0 if found.accuracy is None or Decimal(found.accuracy) >= Decimal(str(at_least)) else 1)


def _told(found: Verified) -> str:
    head = (
        f"{found.table}: nothing to compare"
        if found.accuracy is None
        else f"{found.table}: {found.accuracy} % of {found.cells:,} cells are equal"
    )
    parts = [(found.rows, "rows compared"), (found.missing, "missing"), (found.different, "different")]
    more = [(found.extra, "extra"), (found.quarantined, "no rows"), (found.ambiguous, "ambiguous"), (found.skipped, "skipped")]
    counts = ", ".join(f"{count:,} {word}" for count, word in [*parts, *((count, word) for count, word in more if count)])
    lines = [head, counts]
    if not found.complete:
        lines.append("not everything was read: rows that the source has no record of are not known")
    if not found.key_unique:
        lines.append("no unique index keeps the key unique: two rows of one key send their record to quarantine")
    if found.columns:
        lines += ["", columns(("COLUMN", "DIFFERENT"), [(name, f"{count:,}") for name, count in found.columns.items()])]
    if found.examples:
        lines += ["", columns(("KEY", "WHAT"), list(map(_row, found.examples)))]
    return "\n".join(lines)


def _row(one: Wrong) -> tuple[str, ...]:
    key = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in one.key.items())
    return (outside_text(key, 80), outside_text(", ".join(one.columns), 200) if one.columns else "missing")
