"""Whether a run's time follows what it changes, not what is there: 1,000 changed rows in a table of two sizes."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from benchmarks.__main__ import Databases
from benchmarks.files import line
from benchmarks.floor import COLUMNS
from benchmarks.manifest import spec
from syncsource.destinations import open_database
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.runner.here import run_here
from syncsource.sources.files import Files

CHANGED = 1000


def write(file: Path, numbers: Iterable[int], status: str) -> None:
    """These orders, with this status."""
    lines = (line(number).replace("processing", status, 1) for number in numbers)
    file.write_text("".join([",".join(COLUMNS) + "\n", *lines]))


def sync(database: str, folder: Path, *, full: bool = False) -> Outcome:
    """One run of ``orders.csv`` in the folder."""
    plan = RunPlan(
        run=uuid4().hex,
        identity="bench/growth",
        trigger="Request",
        full=full,
        spec=spec({"csv": {"path": "orders.csv"}}, {}),
        secrets={"db": {"url": database}},
        files=Files(folder=str(folder)),
    )
    return run_here(plan, Stop(), lambda progress: None)


def grow(url: str, kind: str, size: int) -> None:
    """Doubles the table until it has so many rows, and gathers statistics as a database does by itself in time."""
    others = ", ".join(COLUMNS[1:])
    have = CHANGED
    with open_database(url) as database, database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while have < size:
            connection.exec_driver_sql(
                f"INSERT INTO orders (id, {others}) SELECT id + {have}, {others} FROM orders WHERE id < {min(have, size - have)}"
            )
            have = min(2 * have, size)
        connection.exec_driver_sql("ANALYZE TABLE orders" if kind == "mariadb" else "ANALYZE orders")


def seconds(databases: Databases, folder: Path, size: int, rounds: int) -> float:
    """The median time of a run that changes rows all over the table, as the engine counts it. One more comes first, which warms up."""
    url = databases.fresh()
    write(folder / "orders.csv", range(CHANGED), "processing")
    sync(url, folder)
    grow(url, databases.kind, size)
    found = []
    for number in range(rounds + 1):
        write(folder / "orders.csv", range(0, size, size // CHANGED), f"round {number}")
        outcome = sync(url, folder)
        if outcome.counts.updated != CHANGED:
            raise SystemExit(f"{outcome.result}: {outcome.counts} {outcome.message}")
        found.append(outcome.seconds)
    return statistics.median(found[1:])


def run(kinds: Sequence[str], small: int, large: int, rounds: int) -> None:
    """Both sizes on each kind of database."""
    print(f"\n{CHANGED:,} rows changed in a table of {small:,} and of {large:,}")
    print(f"{'':20}{'small':>9}{'large':>9}{'small = 1':>11}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        for kind in kinds:
            folder = Path(name) / kind
            folder.mkdir()
            with closing(Databases(kind, folder)) as databases:
                few, many = (seconds(databases, folder, size, rounds) for size in (small, large))
            print(f"{kind:20}{few:>9.3f}{many:>9.3f}{many / few:>11.2f}", flush=True)
