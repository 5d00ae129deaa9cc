"""A CSV file into PostgreSQL, beside the csv module and COPY. ``python -m benchmarks.files [--rows N] [--rounds N] [--quoted]``."""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks.__main__ import Databases, measure, show
from benchmarks.floor import COLUMNS, CREATE, SET
from benchmarks.manifest import spec, write_manifest
from benchmarks.ours import command
from benchmarks.timing import clock


def line(number: int) -> str:
    """One order as a line."""
    day, hour = number % 28 + 1, number % 24
    return (
        f"{number},SO-{number:08},processing,IDR,{'true' if number % 3 else 'false'},Customer {number},+62811{number:07},c{number}@example.com,"
        f"{number % 90_000}.{number % 90 + 10},{number % 900}.5{number % 9 + 1},{number % 9 + 1},,"
        f"2026-01-{day:02}T{hour:02}:15:30Z,2026-02-{day:02}T{hour:02}:45:10Z\n"
    )


def write(file: Path, rows: int, *, quoted: bool = False) -> None:
    """The file: a header and so many orders. ``quoted``: a cell of each needs quotes, so that no line is plain."""
    with file.open("w") as out:
        out.write(",".join(COLUMNS) + "\n")
        lines = map(line, range(rows))
        out.writelines((one.replace(",Customer ", ',"Customer, No. ', 1).replace(",+", '",+', 1) for one in lines) if quoted else lines)


def floor(file: str, url: str) -> None:
    """The csv module, COPY into a temporary table, one INSERT ON CONFLICT."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE)
        cursor.execute("CREATE TEMP TABLE staging (LIKE orders)")
        with cursor.copy("COPY staging FROM STDIN") as copy:
            for row in _rows(file):
                copy.write_row(row)
        cursor.execute(f"INSERT INTO orders SELECT * FROM staging ON CONFLICT (id) DO UPDATE SET {SET}")


def _rows(file: str) -> Iterator[list[str | None]]:
    with open(file, newline="", encoding="utf-8") as text:
        rows = csv.reader(text)
        next(rows)
        for row in rows:
            yield [cell or None for cell in row]


def floor_command(file: str, database: str, folder: Path) -> list[str]:
    """The floor's command."""
    return [sys.executable, "-m", "benchmarks.files", "--floor", file, database]


def ours(file: str, database: str, folder: Path) -> list[str]:
    """``syncsource run``, with the file beside the manifest. It is taken each time: files are taken once only where a cursor is kept."""
    manifest = folder / "orders.yaml"
    (folder / "orders.csv").hardlink_to(file)
    write_manifest(manifest, spec({"csv": {"path": "orders.csv"}}, {}), database)
    return command("csvfiles", database, manifest)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quoted", action="store_true", help="with quotes in every line")
    parser.add_argument("--floor", nargs=2, metavar=("FILE", "DATABASE"), help="be the floor")
    options = parser.parse_args()
    if options.floor:
        with clock():
            floor(*options.floor)
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        file = Path(name) / "orders.csv"
        write(file, options.rows, quoted=options.quoted)
        databases = Databases("postgresql", Path(name))
        found = measure({"floor": floor_command, "syncsource": ours}, str(file), databases, Path(name), options.rounds)
        show("CSV into postgresql", options.rows, found)
        databases.close()


if __name__ == "__main__":
    main()
