"""``python -m benchmarks.small [--rows N] [--runs N] [--kinds KIND…]``: runs of few rows that change nothing, as most are, one after the other in one process,
as a worker of the operator has them: milliseconds of each, and of its processor time, beside the best upserts written by hand."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks import upserts
from benchmarks.__main__ import KINDS, Databases
from benchmarks.databases import write
from benchmarks.growth import sync

WARM = 3
"""Runs before any is timed: the first creates the table and the ledger."""


def ours(file: Path, url: str) -> Callable[[], None]:
    """A run of ours, by the engine; in full, since a file that was read before is not read again."""

    def run() -> None:
        outcome = sync(url, file.parent, full=True)
        assert outcome.result == "Succeeded", outcome

    return run


def floor(file: Path, url: str) -> Callable[[], None]:
    """The upsert written by hand: no ledger, no fence, no history."""
    kind = urlsplit(url).scheme
    if kind == "sqlite":
        return lambda: upserts.sqlite(str(file), url.removeprefix("sqlite:///"))
    return lambda: (upserts.mariadb if kind == "mysql" else upserts.postgresql)(str(file), url)


def timed(run: Callable[[], None], runs: int) -> tuple[float, float]:
    """Milliseconds of a run, and of its processor time here."""
    for _ in range(WARM):
        run()
    began, processor = time.perf_counter(), time.process_time()
    for _ in range(runs):
        run()
    return (time.perf_counter() - began) / runs * 1000, (time.process_time() - processor) / runs * 1000


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    print(f"{options.runs} runs of {options.rows} rows, none changed\n{'':24}{'ms':>8}{'of floor':>10}{'processor':>11}{'of floor':>10}")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        file = Path(name) / "orders.csv"
        write(file, options.rows, 0, "")
        for kind in options.kinds:
            (Path(name) / kind).mkdir()
            with closing(Databases(kind, Path(name) / kind)) as databases:
                found = {who.__name__: timed(who(file, databases.fresh()), options.runs) for who in (floor, ours)}
            least = found["floor"]
            for who, (all_, processor) in found.items():
                told = f"{all_:>8.1f}{least[0] / all_:>10.2f}{processor:>11.1f}{least[1] / processor:>10.2f}"
                print(f"{kind:14}{'syncsource' if who == 'ours' else who:10}{told}", flush=True)


if __name__ == "__main__":
    main()
