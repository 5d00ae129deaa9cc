"""``syncsource import``: files handed over, each taken once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import secret
from tests.e2e.databases import Warehouse, sqlite_file
from tests.e2e.product import PROGRAM, environment

WALK_INS = 'Booking No;Guest;Total\r\n1;"Ann\r\nLee";1.234,50\r\n2;Bob;x\r\n3\r\n4;Cid;5,00\r\n'
BAD = [
    "quarantined: 1 InvalidValue (total), 1 RaggedLine",
    "  walkins.csv, line 4: InvalidValue: total: 'x' is not a number with the separators that the field declares",
    "  walkins.csv, line 5: RaggedLine: the record of line 5 has 1 cell, and there are 3 columns",
]


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Warehouse]:
    with sqlite_file(tmp_path / "rows.db") as warehouse:
        yield warehouse


@pytest.fixture
def manifest(tmp_path: Path, rows: Warehouse) -> str:
    """Of a SyncSource that waits for files."""
    fields = [
        {"name": "booking_no", "path": '"Booking No"', "type": "integer"},
        {"name": "guest", "path": "Guest", "type": "text"},
        {"name": "total", "path": "Total", "type": "decimal(10,2)", "decimalSeparator": ",", "thousandsSeparator": "."},
    ]
    spec = {
        "source": {"csv": {}},
        "fields": fields,
        "keys": [{"fields": ["booking_no"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "walkins", "createTable": True}},
    }
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "walkins"}, "spec": spec}
    file = tmp_path / "walkins.yaml"
    file.write_text(yaml.safe_dump_all([source, secret("db", url=rows.url)]))
    return str(file)


def run(*arguments: str, data: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """The program to its end; ``data`` is its standard input."""
    return subprocess.run(
        [PROGRAM, *arguments], input=data.encode(), capture_output=True, timeout=60, env=environment(), cwd=folder, check=False
    )


def said(done: subprocess.CompletedProcess[bytes]) -> list[str]:
    """Its standard output, by lines; the time that it took left out."""
    assert done.stderr == b"", done.stderr
    return [line.split(": ", 1)[1] if line.startswith("Succeeded in") else line for line in done.stdout.decode().splitlines()]


def test_a_file_is_imported_once_unless_forced_and_bad_lines_are_told(manifest: str, rows: Warehouse, tmp_path: Path) -> None:
    (tmp_path / "walkins.csv").write_bytes(WALK_INS.encode("cp1252"))
    done = run("import", "-f", manifest, "walkins.csv", folder=tmp_path)
    assert (done.returncode, said(done)) == (0, ["4 read, 2 inserted, 0 updated, 0 unchanged, 2 quarantined", *BAD])
    assert rows.sql("SELECT booking_no, guest FROM walkins ORDER BY 1") == [(1, "Ann\r\nLee"), (4, "Cid")]
    again = run("import", "-f", manifest, "walkins.csv", folder=tmp_path)
    assert (again.returncode, said(again)) == (0, ["walkins.csv was imported before: left out; --force reads it again"])
    forced = run("import", "-f", manifest, "--force", "-o", "json", "walkins.csv", folder=tmp_path)
    outcome: dict[str, Any] = json.loads(forced.stdout)
    assert (forced.returncode, outcome["counts"]["unchanged"], outcome["imported_before"]) == (0, 2, [])
    assert [(one["place"], one["position"], one["field"]) for one in outcome["quarantined"]] == [
        ("walkins.csv", 4, "total"),
        ("walkins.csv", 5, None),
    ]


def test_standard_input_can_be_imported_and_is_remembered_too(manifest: str, rows: Warehouse) -> None:
    assert said(run("import", "-f", manifest, "-", data=WALK_INS))[0].startswith("4 read, 2 inserted")
    again = run("import", "-f", manifest, "-", "-o", "json", data=WALK_INS)
    assert (again.returncode, json.loads(again.stdout)["imported_before"]) == (0, ["standard input"])


@pytest.mark.parametrize(
    ("arguments", "data", "code", "words"),
    [
        (["-", "-"], WALK_INS, 2, "standard input can be given once"),
        (
            ["-"],
            "Booking No;Guest\n1;Ann\n",
            1,
            "SchemaMismatch: standard input has no column 'Total' (field total); it has: Booking No, Guest",
        ),
    ],
)
def test_what_can_not_be_imported_is_told(manifest: str, tmp_path: Path, arguments: list[str], data: str, code: int, words: str) -> None:
    done = run("import", "-f", manifest, *arguments, data=data, folder=tmp_path)
    assert done.returncode == code
    assert words in (done.stdout + done.stderr).decode()


def test_files_are_for_sources_of_files(manifest: str, tmp_path: Path) -> None:
    documents = Path(manifest).read_text().replace("csv: {}", "http: {baseURL: 'http://127.0.0.1:1'}")
    Path(manifest).write_text(documents)
    done = run("import", "-f", manifest, "-", data=WALK_INS)
    assert (done.returncode, done.stderr) == (
        2,
        b"error: default/walkins has no source.csv: files are handed to such a SyncSource only\n",
    )


def test_run_reads_the_files_beside_the_manifest(manifest: str, rows: Warehouse, tmp_path: Path) -> None:
    Path(manifest).write_text(Path(manifest).read_text().replace("csv: {}", "csv: {path: 'in/*.csv'}"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "walkins.csv").write_text(WALK_INS)
    assert said(run("run", "-f", manifest))[0].startswith("4 read, 2 inserted")
