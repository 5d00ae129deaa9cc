"""The disk of the database is full in mid-run: nothing of the run is written, status says why, and all goes on once there is room."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.e2e.cluster import condition, history
from tests.e2e.databases import Warehouse, opened, sqlite_file
from tests.e2e.torture.conftest import Operators
from tests.e2e.torture.subject import subjects
from tests.postgres import serving
from tests.requiring import unavailable

MB = 2**20


@contextmanager
def small_disk(size: int) -> Iterator[Path]:
    """A folder on a disk of so many MB."""
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}m,mode=0700", "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if mounted.returncode != 0:
            unavailable("tmpfs", f"no right to mount one: {mounted.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is free in this block."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(MB))
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(512))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def sqlite_on(disk: Path) -> Iterator[Warehouse]:
    with sqlite_file(disk / "rows.db") as warehouse:
        yield warehouse


@contextmanager
def postgresql_on(disk: Path) -> Iterator[Warehouse]:
    with serving(disk / "data") as server, opened("postgresql", server.uri) as warehouse:
        yield warehouse


@pytest.mark.parametrize(("kind", "size"), [("sqlite", 4), ("postgresql", 120)])
def test_disk_full(kind: str, size: int, operators: Operators, api: Api) -> None:
    with small_disk(size) as disk, (sqlite_on if kind == "sqlite" else postgresql_on)(disk) as warehouse:
        [subject] = subjects([warehouse], api, [("disk", True)])
        assert operators.one
        subject.begin(operators.cluster)
        rng = random.Random(1)
        subject.stock.add(600)
        subject.edit(rng)
        before = subject.state()
        warehouse.engine.dispose()
        subject.stock.hold()
        operators.cluster.annotate(subject.name, requestedAt="one")
        assert subject.stock.held.wait(20)
        with filled(disk):
            subject.stock.release()
            told = operators.cluster.wait(subject.name, lambda source: condition(source, "Ready").get("status") == "False")
            assert condition(told, "Ready")["reason"] == "DiskFull"
            assert condition(told, "Ready")["message"].endswith(" free space on its disk")
            operators.cluster.wait(subject.name, lambda source: source["status"]["consecutiveFailures"] >= 2)
            assert subject.state() == before
        done = subject.rest(operators.cluster, "one")
        subject.check_rows()
        subject.check_status(done)
        assert {entry["reason"] for entry in history(done) if entry["result"] == "Failed"} == {"DiskFull"}
        operators.cluster.delete(subject.name)
