"""``syncsource verify``."""

from __future__ import annotations

import sys
from decimal import Decimal

import click
import msgspec

from syncsource.cli.main import Fail
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.showing import shown
from syncsource.cli.stopping import stopped_by_signals
from syncsource.cli.there import Where, here_or_there, only_here
from syncsource.client import requests
from syncsource.engine.plan import RunPlan
from syncsource.engine.verifying import Verified, Wrong
from syncsource.errors import outside_text
from syncsource.resource.status import Verification
from syncsource.runner.here import verify_here


@click.command()
@here_or_there
@click.option("--limit", type=click.IntRange(1), help="Read only so many records of each partition, from the beginning. Absent: all.")
@click.option(
    "--at-least", type=click.FloatRange(0, 100), default=100.0, show_default=True, help="The accuracy, in percent, that is good enough."
)
@output_option
def verify(where: Where, limit: int | None, at_least: float, output: str) -> None:
    """How accurate the table of NAME is: the source is read anew and compared with it, cell by cell. Nothing is written.

    With -f that is done here and now, without Kubernetes. Otherwise the operator is asked for it, which reads as much as spec.safety.verify says,
    and status keeps what it found.

    Accuracy is the share of equal cells among those of the fields of all records; the cells of rows that the table lacks, and of records that
    are no rows, are not equal. It is rounded down. What people have changed differs, whatever spec.write says of it.

    Exits with 0 where the table is as accurate as it must be, 1 where not or it could not be compared, 2 where the manifest can't be used.
    """
    only_here(where, "limit")
    accuracy = _here(where.plan(), where.name or "verify", limit, output) if where.is_here else _there(where, output)
    raise SystemExit(0 if accuracy is None or Decimal(accuracy) >= Decimal(str(at_least)) else 1)


def _here(plan: RunPlan, name: str, limit: int | None, output: str) -> str | None:
    """The accuracy, as this process finds it."""
    with shown(name) as progress:
        found = verify_here(plan, stopped_by_signals(), limit, progress)
    emit(msgspec.to_builtins(found), output, lambda: _told(found))
    return found.accuracy


def _there(where: Where, output: str) -> str | None:
    """The accuracy, as the operator finds it."""
    api, name, timeout = where.connect(), where.source, where.timeout
    token = requests.ask_verification(api, name)
    if sys.stderr.isatty():
        click.echo(f"{name}: requested", err=True)
    found = requests.wait_for_verification(api, name, token, timeout)
    if found is None:
        raise Fail(f"{name}: no outcome within {timeout:g} s; is an operator running? The request stands")
    if found.result != "Succeeded":
        raise Fail(f"{name}: {found.result}: {found.reason}: {found.message}")
    told = {"name": name, **found.model_dump(by_alias=True, mode="json", exclude_none=True)}
    emit(told, output, lambda: "\n".join([*_summary(name, found), *_by_column(found)]))
    return found.accuracy


def _told(found: Verified) -> str:
    lines = _summary(found.table, found)
    if not found.key_unique:
        lines.append("no unique index keeps the key unique: two rows of one key send their record to quarantine")
    lines += _by_column(found)
    if found.examples:
        lines += ["", columns(("KEY", "WHAT"), list(map(_row, found.examples)))]
    return "\n".join(lines)


def _summary(name: str, found: Verified | Verification) -> list[str]:
    head = f"{name}: nothing to compare" if found.accuracy is None else f"{name}: {found.accuracy} % of {found.cells:,} cells are equal"
    parts = [(found.rows, "rows compared"), (found.missing, "missing"), (found.different, "different")]
    more = [(found.extra, "extra"), (found.quarantined, "no rows"), (found.ambiguous, "ambiguous"), (found.skipped, "skipped")]
    counts = ", ".join(f"{count or 0:,} {word}" for count, word in [*parts, *((count, word) for count, word in more if count)])
    return [head, counts, *([] if found.complete else ["not everything was read: rows that the source has no record of are not known"])]


def _by_column(found: Verified | Verification) -> list[str]:
    if not found.columns:
        return []
    return ["", columns(("COLUMN", "DIFFERENT"), [(name, f"{count:,}") for name, count in found.columns.items()])]


def _row(one: Wrong) -> tuple[str, ...]:
    key = ", ".join(f"{name}={'NULL' if value is None else value}" for name, value in one.key.items())
    return (outside_text(key, 80), outside_text(", ".join(one.columns), 200) if one.columns else "missing")
