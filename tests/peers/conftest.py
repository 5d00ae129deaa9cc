"""A fresh place in each database, and dlt in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import pytest

from tests.e2e.databases import Warehouse, opened, postgresql_schema, sqlite_file
from tests.mariadb import mariadb_server
from tests.postgres import postgresql_server
from tests.requiring import unavailable


@pytest.fixture(scope="module")
def postgresql_uri() -> Iterator[str]:
    """One server for the module's tests."""
    with postgresql_server() as uri:
        yield uri


@pytest.fixture(scope="module")
def mariadb_uri() -> Iterator[str]:
    """One server for the module's tests."""
    with mariadb_server() as uri:
        yield uri


@pytest.fixture
def postgresql(postgresql_uri: str) -> Iterator[Warehouse]:
    """A schema of its own."""
    with postgresql_schema(postgresql_uri) as warehouse:
        yield warehouse


@pytest.fixture
def mariadb(mariadb_uri: str) -> Iterator[Warehouse]:
    """A database of its own. It goes with the server."""
    name = f"peer_{uuid4().hex[:12]}"
    with opened("mariadb", mariadb_uri) as server:
        server.sql(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    with opened("mariadb", mariadb_uri.replace("/test?", f"/{name}?")) as warehouse:
        yield warehouse


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Warehouse]:
    """A file of its own."""
    with sqlite_file(tmp_path / "rows.db") as warehouse:
        yield warehouse


class Dlt:
    """dlt's process, which knows nothing of what the machine's user has set up for dlt."""

    def __init__(self, folder: Path, errors: IO[bytes]) -> None:
        self.folder = folder
        settings = dict.fromkeys(("HOME", "TMPDIR", "DLT_DATA_DIR", "DLT_PROJECT_DIR", "DLT_LOCAL_DIR"), str(folder))
        environment = {"PATH": os.environ["PATH"], "RUNTIME__DLTHUB_TELEMETRY": "false", **settings}
        command = [sys.executable, str(Path(__file__).with_name("dlt_process.py"))]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, cwd=folder, text=True
        )

    def load(self, **request: Any) -> str:
        """A load: what dlt says against it, nothing where it was done."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return str(self.answer()["error"])

    def answer(self) -> dict[str, Any]:
        """What it says next."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, (self.folder / "errors").read_text(errors="replace")[-2000:]
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """It ends where nothing is left to read."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def dlt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dlt]:
    """One process for the module's tests, since it takes seconds to start."""
    folder = tmp_path_factory.mktemp("dlt")
    with (folder / "errors").open("wb") as errors:
        made = Dlt(folder, errors)
        try:
            if missing := made.answer()["missing"]:
                unavailable("dlt", f"{missing}: make peers installs it")
            yield made
        finally:
            made.close()
