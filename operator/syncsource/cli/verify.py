"""``syncsource verify``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import click
import msgspec

from syncsource.cli.connection import connectable, known_names
from syncsource.cli.main import Fail, Unusable
from syncsource.cli.output import columns, emit, output_option
from syncsource.cli.planning import FILE_OPTIONS, from_files, names_in_files, plan_of
from syncsource.cli.requests import seconds
from syncsource.cli.showing import shown
from syncsource.cli.stopping import stopped_by_signals
from syncsource.client import requests
from syncsource.client.api import Api
from syncsource.engine.plan import RunPlan
from syncsource.engine.verifying import Verified, Wrong
from syncsource.errors import SyncError, outside_text
from syncsource.resource.status import Verification
from syncsource.runner.here import verify_here

_CLUSTER_OPTIONS = ("kubeconfig", "context", "namespace", "timeout")


def _names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    return (names_in_files if context.params.get("files") else known_names)(context, parameter, incomplete)


@click.command()
@click.argument("source", metavar="NAME", required=False, shell_complete=_names)
@partial(from_files, required=False)
@click.option("--limit", type=click.IntRange(1), help="Read only so many records of each partition, from the beginning. Absent: all.")
@click.option(
    "--at-least", type=click.FloatRange(0, 100), default=100.0, show_default=True, help="The accuracy, in percent, that is good enough."
)
@click.option("--timeout", default="10m", show_default=True, callback=seconds, help="How long to wait for the operator's outcome.")
@output_option
@connectable
def verify(
    connect: Callable[[], Api],
    source: str | None,
    files: tuple[str, ...],
    name: str | None,
    env_file: str | None,
    limit: int | None,
    at_least: float,
    timeout: float,
    output: str,
) -> None:
    """How accurate the table of NAME is: the source is read anew and compared with it, cell by cell. Nothing is written.

    With -f that is done here and now, without Kubernetes. Otherwise the operator is asked for it, which reads as much as spec.safety.verify says,
    and status keeps what it found.

    Accuracy is the share of equal cells among those of the fields of all records; the cells of rows that the table lacks, and of records that
    are no rows, are not equal. It is rounded down. What people have changed differs, whatever spec.write says of it.

    Exits with 0 where the table is as accurate as it must be, 1 where not or it could not be compared, 2 where the manifest can't be used.
    """
    _without(*(_CLUSTER_OPTIONS if files else (*FILE_OPTIONS, "limit")), given=bool(files))
    if files:
        accuracy = _here(plan_of(files, source or name, env_file), source or name or "verify", limit, output)
    elif source is None:
        raise Unusable("say which SyncSource: NAME of the control plane, or -f FILE")
    else:
        accuracy = _there(connect(), source, timeout, output)
    raise SystemExit(0 if accuracy is None or Decimal(accuracy) >= Decimal(str(at_least)) else 1)


def _without(*options: str, given: bool) -> None:
    context = click.get_current_context()
    for option in options:
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise Unusable(f"--{option.replace('_', '-')} is {'not for -f: that needs no control plane' if given else 'for -f only'}")


def _here(plan: RunPlan, name: str, limit: int | None, output: str) -> str | None:
    """The accuracy, as this process finds it."""
    try:
        with shown(name) as progress:
            found = verify_here(plan, stopped_by_signals(), limit, progress)
    except SyncError as error:
        raise Fail(f"{error.reason}: {error.message}") from None
    emit(msgspec.to_builtins(found), output, lambda: _told(found))
    return found.accuracy


def _there(api: Api, name: str, timeout: float, output: str) -> str | None:
    """The accuracy, as the operator finds it."""
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
