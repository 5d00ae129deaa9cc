"""``syncsource quarantine``: from a file with bad lines to a table with all of them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from syncsource.cli.main import main

LINES = 'id,amount,phone\n1,10,0811\n2,"1,50",0812\n3,\x1b[31mred\u202e,0813\n'
FIELDS: list[dict[str, Any]] = [
    {"name": "id", "type": "integer"},
    {"name": "amount", "type": "decimal(8,2)"},
    {"name": "phone", "type": "text", "sensitive": True},
]


class Shop:
    """A folder with a manifest, a file of lines and a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "orders.csv").write_text(LINES, encoding="utf-8")
        self.declare(FIELDS)

    def declare(self, fields: list[dict[str, Any]]) -> None:
        """Writes the manifest."""
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}}
        reference = {"secretKeyRef": {"name": "db", "key": "url"}}
        spec = {
            "source": {"csv": {"path": "orders.csv"}},
            "fields": fields,
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": reference, "table": "orders", "createTable": True}},
        }
        source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
        documents = [{**secret, "stringData": {"url": f"sqlite:///{self.folder}/rows.db"}}, source]
        (self.folder / "orders.yaml").write_text(yaml.safe_dump_all(documents), encoding="utf-8")

    def call(self, *words: str) -> Result:
        """What a command prints, and its exit code."""
        return CliRunner().invoke(main, [*words, "-f", str(self.folder / "orders.yaml")], catch_exceptions=False)

    def amounts(self) -> list[tuple[Any, ...]]:
        """What the table holds."""
        with sqlite3.connect(self.folder / "rows.db") as connection:
            found = connection.execute("SELECT id, amount FROM orders ORDER BY id").fetchall()
        connection.close()
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """After a run that set two lines aside."""
    made = Shop(tmp_path)
    ran = made.call("run")
    assert (ran.exit_code, "2 quarantined" in ran.output) == (0, True), ran.output
    return made


def test_records_are_listed_shown_tried_again_and_discarded(shop: Shop) -> None:
    listed = shop.call("quarantine", "orders")
    assert listed.exit_code == 0
    assert "orders.csv:3" in listed.output
    assert "'1,50' is not a decimal(8,2)" in listed.output
    told = json.loads(shop.call("quarantine", "-o", "json").output)
    assert (told["total"], len(told["records"])) == (2, 2)
    comma, red = sorted(told["records"], key=lambda one: int(one["record"]["id"]))
    assert json.loads(shop.call("quarantine", "--show", comma["id"]).output)["record"] == {"amount": "1,50", "id": "2", "phone": "***"}
    assert yaml.safe_load(shop.call("quarantine", "--show", comma["id"], "-o", "yaml").output)["field"] == "amount"

    shop.declare([FIELDS[0], {**FIELDS[1], "decimalSeparator": ","}, FIELDS[2]])
    tried = shop.call("quarantine", "--retry", "all")
    assert (tried.exit_code, "1 inserted, 0 updated, 0 unchanged, 1 quarantined" in tried.output) == (1, True), tried.output
    assert shop.amounts() == [(1, "10.00"), (2, "1.50")]
    assert shop.call("quarantine", "--discard", red["id"]).output == "Discarded 1 record\n"
    assert shop.call("quarantine").output == "No records in quarantine\n"


def test_escape_sequences_in_upstream_data_do_not_reach_the_terminal(shop: Shop) -> None:
    for words in ([], ["-o", "json"], ["-o", "yaml"]):
        shown = shop.call("quarantine", *words).output
        assert "red" in shown
        assert not {"\x1b", "\u202e"} & set(shown)


def test_sensitive_values_are_masked_in_every_output(shop: Shop) -> None:
    for words in ([], ["-o", "json"], ["-o", "yaml"]):
        assert "081" not in shop.call("quarantine", *words).output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--show", "ffffff"], 1, "NotFound: no record in quarantine has an id that begins with 'ffffff'"),
        (["--retry", "all", "--discard", "all"], 2, "choose one of --show, --retry and --discard"),
        (["nobody"], 2, "no SyncSource named nobody"),
    ],
)
def test_what_can_not_be_done_is_told(shop: Shop, words: list[str], code: int, said: str) -> None:
    result = shop.call("quarantine", *words)
    assert (result.exit_code, said in result.output) == (code, True), result.output
