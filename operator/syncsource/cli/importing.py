"""``syncsource import``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from syncsource.cli.main import Unusable
from syncsource.cli.output import emit, output_option
from syncsource.cli.planning import from_files, plan_of
from syncsource.cli.showing import sentence, shown
from syncsource.cli.stopping import stopped_by_signals
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.quarantine import Quarantined, of_run
from syncsource.errors import outside_text
from syncsource.resource.spec import SyncSourceSpec
from syncsource.runner.here import run_here
from syncsource.sources.csvfiles.source import FileSource
from syncsource.sources.files import Files, Handed
from syncsource.sources.opening import Secrets

STANDARD_INPUT = "standard input"
LISTED = 20
"""Lines in quarantine that are told one by one."""


@click.command("import")
@from_files
@click.argument("data", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True))
@click.option("--force", is_flag=True, help="Read files that were imported before, too.")
@output_option
def import_(files: tuple[str, ...], name: str | None, env_file: str | None, data: tuple[str, ...], force: bool, output: str) -> None:
    """Hand files to a SyncSource with source.csv and run it, here and now, without Kubernetes; DATA may be - for standard input.

    A file is taken once, told by its content: one that was imported before is left out, and says so. Lines that can't be written
    go to quarantine, the others are written.

    Exits with 0 where the run succeeded or there was nothing new, 1 where it failed, 2 where a file can't be used.
    """
    plan = _checked(plan_of(files, name, env_file))
    with _handed(data, files) as handed:
        plan = msgspec.structs.replace(plan, files=Files(handed=handed, again=force))
        outcome, before = _run(plan)
    wrong = of_run(plan, LISTED) if outcome.counts.quarantined else []
    result = {**msgspec.to_builtins(outcome), "imported_before": before, "quarantined": [_entry(one) for one in wrong]}
    emit(result, output, lambda: _told(outcome, before, wrong))
    raise SystemExit(0 if outcome.result == "Succeeded" else 1)


def _run(plan: RunPlan) -> tuple[Outcome, list[str]]:
    """The run's outcome, and the files that it left out."""
    stop, sources = stopped_by_signals(), list[FileSource]()

    def opened(spec: SyncSourceSpec, secrets: Secrets) -> FileSource:
        sources.append(FileSource(spec, plan.files, stop.event))
        return sources[-1]

    with shown(plan.identity.removeprefix("local/")) as show:
        outcome = run_here(plan, stop, show, opened)
    return outcome, [name for source in sources for name in source.known]


def _checked(plan: RunPlan) -> RunPlan:
    if "csv" not in plan.spec["source"]:
        raise Unusable(f"{plan.identity.removeprefix('local/')} has no source.csv: files are handed to such a SyncSource only")
    return plan


@contextmanager
def _handed(data: Sequence[str], manifests: Sequence[str]) -> Iterator[tuple[Handed, ...]]:
    """The files; standard input as a file, so that it can be read more than once."""
    if "-" not in data:
        yield tuple(map(_named, data))
        return
    if "-" in manifests or data.count("-") > 1:
        raise Unusable("standard input can be given once: for the manifest, or for the data")
    with tempfile.NamedTemporaryFile(prefix="syncsource-") as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.flush()
        yield tuple(Handed(kept.name, STANDARD_INPUT) if one == "-" else _named(one) for one in data)


def _named(file: str) -> Handed:
    return Handed(str(Path(file).resolve()), file)


def _entry(one: Quarantined) -> dict[str, str | int | None]:
    return {name: getattr(one, name) for name in ("id", "place", "position", "reason", "field", "message")}


def _told(outcome: Outcome, before: Sequence[str], wrong: Sequence[Quarantined]) -> str:
    lines = [f"{outside_text(name)} was imported before: left out; --force reads it again" for name in before]
    if outcome.result != "Succeeded" or outcome.counts.read or not before:
        lines.append(sentence(outcome))
    lines += [f"  {one.place}, line {one.position}: {one.reason}: {outside_text(one.message)}" for one in wrong]
    more = outcome.counts.quarantined - len(wrong)
    return "\n".join([*lines, *([f"  and {more:,} more: `syncsource quarantine` lists them"] if more > 0 else [])])
