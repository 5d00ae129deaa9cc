"""What a terminal gets to see of data from outside, whatever its encoding."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

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
