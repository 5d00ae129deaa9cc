"""Runs into each database, beside the best upserts written by hand and dlt:
``python -m benchmarks.databases [--rows N] [--rounds N] [--kinds KIND…] [--no-peer] [--growth SMALL LARGE]``.

Orders come from a CSV file on the local disk: reading costs everybody least there, so that the writing dominates. Each contender loads it into an
empty table, then again unchanged, then with one order of a hundred changed, then with all of them changed. Seconds are those of the run by each
contender's own clock: the operator's workers are there already. What a process of its own takes stands beside it.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import growth
from benchmarks.__main__ import KINDS, Command, Databases
from benchmarks.files import line
from benchmarks.floor import COLUMNS
from benchmarks.manifest import spec, write_manifest
from benchmarks.ours import command
from benchmarks.timing import NEVER, Measured, median, ratio, timed

STEPS = {"first load": (0, ""), "no change": (0, ""), "1 % changed": (100, "completed"), "all changed": (1, "refunded")}
"""In their order: every how many orders one is changed, and its status then."""
Found = dict[str, dict[str, Measured]]
"""By step, then by mode."""


def floor(file: str, database: str, folder: Path) -> list[str]:
    """The best upsert written by hand."""
    return [sys.executable, "-m", "benchmarks.upserts", file, database]


def ours(**settings: Any) -> Command:
    """``syncsource run`` with these settings in spec. In full, since a file that was read before is not read again."""

    def run(file: str, database: str, folder: Path) -> list[str]:
        (folder / "orders.csv").unlink(missing_ok=True)
        (folder / "orders.csv").hardlink_to(file)
        write_manifest(folder / "orders.yaml", spec({"csv": {"path": "orders.csv"}}, {}) | settings, database)
        return command("csvfiles", database, folder / "orders.yaml", "--full")

    return run


def peer(file: str, database: str, folder: Path) -> list[str]:
    """dlt with its best settings."""
    return [sys.executable, "-m", "benchmarks.peer", file, database, str(folder), "best"]


PEER = "dlt"
PATIENCE = 300.0
"""Seconds for one step: dlt finds the rows to delete in MariaDB without an index, which takes hours."""
MODES: dict[str, Command] = {
    "floor": floor,
    "syncsource": ours(),
    "with undo": ours(safety={"undo": {"keep": "1d"}}),
    "with merge": ours(write={"onExisting": "Merge"}),
    "with deletes": ours(write={"onAbsent": "Delete"}),
    "with keys": ours(
        keys=[{"fields": ["number"]}, {"fields": ["phone", "customer"], "normalize": {"phone": "digits", "customer": "fold"}}]
    ),
    PEER: peer,
}


def write(file: Path, rows: int, every: int, status: str) -> None:
    """So many orders, one of each ``every`` with another status; 0: none."""
    with file.open("w") as out:
        out.write(",".join(COLUMNS) + "\n")
        for number in range(rows):
            text = line(number)
            out.write(text.replace("processing", status, 1) if every and number % every == 0 else text)


def measure(modes: dict[str, Command], databases: Databases, files: dict[str, Path], folder: Path, rounds: int) -> Found:
    """Each step by each mode, which take turns. A mode that was too slow is left out of what follows."""
    found: dict[str, dict[str, list[Measured]]] = {step: {mode: [] for mode in modes} for step in files}
    for _ in range(rounds):
        targets = {mode: (databases.fresh(), Path(tempfile.mkdtemp(dir=folder))) for mode in modes}
        for step, file in files.items():
            for mode in [mode for mode in modes if mode in targets]:
                measured = _one(modes[mode](str(file), *targets[mode]), databases)
                found[step][mode].append(measured)
                if measured.seconds == math.inf:
                    del targets[mode]
    return {step: {mode: median(rounds) for mode, rounds in by_mode.items()} for step, by_mode in found.items()}


def _one(command: list[str], databases: Databases) -> Measured:
    """``processor``: of the command and of the server, also of what it left the server to do."""
    databases.settle()
    before = databases.processor()
    measured = timed(command, PATIENCE)
    databases.settle()
    return replace(measured, processor=measured.processor + databases.processor() - before)


def show(kind: str, rows: int, found: Found) -> None:
    """Ratios are of rows per second, of the run, of the whole process, and of processor time: more is better. ``of same``: as often as without a change."""
    print(f"\n{kind}: {rows:,} orders of {len(COLUMNS)} columns")
    ratios = f"{'of floor':>10}{'of dlt':>8}"
    print(f"{'':28}{'seconds':>9}{ratios}{'of same':>9}{'with start':>13}{ratios}{'processor':>12}{ratios}")
    for step, by_mode in found.items():
        for mode, one in by_mode.items():
            print(f"{step:14}{mode:14}{_cells(one, by_mode['floor'], by_mode.get(PEER, NEVER), found['no change'][mode])}", flush=True)


def _cells(one: Measured, floor: Measured, dlt: Measured, same: Measured) -> str:
    def pair(of: Callable[[Measured], float]) -> str:
        return ratio(of(floor), of(one), 10) + ratio(of(dlt), of(one), 8)

    runs = f"{one.seconds:>9.2f}{pair(lambda it: it.seconds)}{ratio(one.seconds, same.seconds, 9)}"
    return f"{runs}{one.whole:>13.2f}{pair(lambda it: it.whole)}{one.processor:>12.2f}{pair(lambda it: it.processor)}"


def run(kinds: Sequence[str], modes: dict[str, Command], rows: int, rounds: int) -> None:
    """All steps on each kind of database."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        files = {step: Path(name) / f"{place}.csv" for place, step in enumerate(STEPS)}
        for step, file in files.items():
            write(file, rows, *STEPS[step])
        for kind in kinds:
            folder = Path(name) / kind
            folder.mkdir()
            with closing(Databases(kind, folder)) as databases:
                show(kind, rows, measure(modes, databases, files, folder, rounds))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--no-peer", action="store_true", help="leave out dlt, which takes long")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=list(MODES), help="these only; the floor is always there")
    parser.add_argument(
        "--growth", type=int, nargs=2, metavar=("SMALL", "LARGE"), help="runs that change 1,000 rows of tables of two sizes instead"
    )
    options = parser.parse_args()
    if options.growth:
        small, large = options.growth
        growth.run(options.kinds, small, large, options.rounds)
        return
    wanted = {"floor", *options.modes} - ({PEER} if options.no_peer else set())
    modes = {name: mode for name, mode in MODES.items() if name in wanted}
    run(options.kinds, modes, options.rows, options.rounds)


if __name__ == "__main__":
    main()
