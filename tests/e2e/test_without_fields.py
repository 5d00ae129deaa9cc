"""A manifest without fields: preview shows what would be inferred, test checks it, and a run keeps it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from syncsource.cli.main import main


def test_preview_test_and_run_agree_on_what_is_inferred(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,day,amount,code\n1,2026-01-31,10,007\n2,2026-02-01,1.5,\n", encoding="utf-8")
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}
    spec = {"source": {"csv": {"path": "orders.csv"}}, "keys": [{"fields": ["id"]}], "destination": {"sql": database}}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": f"sqlite:///{tmp_path}/rows.db"}}
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
    manifest = tmp_path / "orders.yaml"
    manifest.write_text(yaml.safe_dump_all([secret, source]), encoding="utf-8")

    def call(*words: str) -> str:
        result = CliRunner().invoke(main, [*words, "-f", str(manifest)], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    types = {"id": "text", "day": "date", "amount": "text", "code": "text"}
    assert json.loads(call("preview", "-o", "json"))["fields"] == types
    assert "4 fields" in call("test")
    assert json.loads(call("run", "-o", "json"))["counts"]["inserted"] == 2
    assert json.loads(call("preview", "-o", "json"))["fields"] == types
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        assert connection.execute("SELECT * FROM orders").fetchall() == [("1", "2026-01-31", "10", "007"), ("2", "2026-02-01", "1.5", None)]
    connection.close()


def test_a_field_whose_name_no_column_can_have_is_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "orders.csv").write_text(f"id,{'x' * 100},a\x1b[31m\n1,2,3\n", encoding="utf-8")
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}
    spec = {"source": {"csv": {"path": "orders.csv"}}, "keys": [{"fields": ["id"]}], "destination": {"sql": database}}
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
    (tmp_path / "orders.yaml").write_text(yaml.safe_dump(source), encoding="utf-8")

    with caplog.at_level("WARNING"):
        result = CliRunner().invoke(main, ["run", "-f", str(tmp_path / "orders.yaml")], env={"DB_URL": f"sqlite:///{tmp_path}/rows.db"})
    assert result.exit_code == 0, result.output
    assert "were left out" in caplog.text
    assert "\x1b" not in caplog.text
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        assert connection.execute("SELECT * FROM orders").fetchall() == [("1",)]
    connection.close()
