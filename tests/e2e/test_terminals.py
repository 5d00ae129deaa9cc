"""What a terminal gets to see of data from outside, whatever its encoding."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from syncsource.cli.main import main
from tests.e2e.product import PROGRAM, environment

FIELDS = [{"name": "id", "type": "integer"}, {"name": "na\x1b[31mme", "path": '"näme"', "type": "text"}]


def manifest(tmp_path: Path) -> str:
    (tmp_path / "guests.csv").write_text("id,näme\n1,Zoë “日本”\n", encoding="utf-8")
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "guests", "createTable": True}
    spec = {"source": {"csv": {"path": "guests.csv"}}, "fields": FIELDS, "keys": [{"fields": ["id"]}], "destination": {"sql": database}}
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "guests"}, "spec": spec}
    (tmp_path / "guests.yaml").write_text(yaml.safe_dump(source), encoding="utf-8")
    return str(tmp_path / "guests.yaml")


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "Zo\\xeb \\u201c\\u65e5\\u672c\\u201d"), ("utf-8", "Zoë “日本”")])
def test_what_an_encoding_lacks_is_escaped_and_what_a_terminal_would_obey_is_not_shown(tmp_path: Path, encoding: str, shown: str) -> None:
    variables = environment(PYTHONIOENCODING=encoding, DB_URL=f"sqlite:///{tmp_path}/rows.db")
    done = subprocess.run([PROGRAM, "preview", "-f", manifest(tmp_path)], env=variables, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode(encoding).splitlines() == [
        "1 record for guests, which the run would create",
        "",
        "guests.csv, line 2  Insert",
        "    id         1",
        f"    na [31mme  {shown}",
    ]


def on_terminal(*words: str) -> str:
    """What a terminal is sent by a command: click leaves escape sequences out of what goes elsewhere."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([PROGRAM, *words], env=environment(), stdin=theirs, stdout=theirs, stderr=theirs) as started:
        os.close(theirs)
        said = b""
        with contextlib.suppress(OSError), open(ours, "rb", buffering=0) as terminal:
            while piece := terminal.read(65536):
                said += piece
        started.wait(60)
    return said.decode()


def test_names_in_a_manifest_are_shown_without_what_a_terminal_would_obey(tmp_path: Path) -> None:
    file = tmp_path / "hostile.yaml"
    hostile = {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "metadata": {"name": "a\x1b[31mb"},
        "spec": {"x\x1b]0;y\x07": 1},
    }
    file.write_text(yaml.safe_dump(hostile), encoding="utf-8")
    for said in (on_terminal("validate", "-f", str(file)), on_terminal("run", "-f", str(file)), on_terminal("run", "-f", "no\x1b[31mfile")):
        assert "\x1b" not in said
    assert "spec.x ]0;y : unknown field" in on_terminal("validate", "-f", str(file))


@pytest.mark.parametrize("wrong", [{"data": 5}, {"stringData": ["url"]}, {"data": "text"}])
def test_a_secret_of_another_shape_is_refused_in_words(tmp_path: Path, wrong: dict[str, object]) -> None:
    file = Path(manifest(tmp_path))
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, **wrong}
    file.write_text(file.read_text(encoding="utf-8") + "---\n" + yaml.safe_dump(secret), encoding="utf-8")
    result = CliRunner().invoke(main, ["run", "-f", str(file)])
    assert (result.exit_code, result.output) == (
        2,
        f"error: {file}#2: data and stringData of Secret db must be mappings of keys to texts\n",
    )


def test_a_file_of_variables_that_is_no_text_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "variables").write_bytes(b"DB_URL=\xff\n")
    result = CliRunner().invoke(main, ["run", "-f", manifest(tmp_path), "--env-file", str(tmp_path / "variables")])
    assert (result.exit_code, result.output) == (2, f"error: {tmp_path}/variables: not UTF-8: write lines NAME=value\n")
