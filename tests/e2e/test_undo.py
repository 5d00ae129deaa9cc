"""``syncsource undo``: from a file with a mistake to the table as it was before it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from syncsource.cli.main import main

GOOD = "id,amount\n1,10\n2,20\n3,30\n"
MISTAKE = "id,amount\n1,1000\n2,2000\n3,3000\n4,4000\n"


class Shop:
    """A folder with a manifest, a file of lines and a database."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.declare()

    def declare(self, **changes: Any) -> None:
        """Writes the manifest."""
        reference = {"secretKeyRef": {"name": "db", "key": "url"}}
        spec = {
            "source": {"csv": {"path": "orders.csv"}},
            "fields": [{"name": "id", "type": "integer"}, {"name": "amount", "type": "decimal(8,2)"}],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": reference, "table": "orders", "createTable": True}},
            "safety": {"undo": {"keep": "14d"}},
            **changes,
        }
        source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "db"},
            "stringData": {"url": f"sqlite:///{self.folder}/rows.db"},
        }
        (self.folder / "orders.yaml").write_text(yaml.safe_dump_all([secret, source]), encoding="utf-8")

    def run(self, lines: str) -> dict[str, Any]:
        """A run of a file with these lines."""
        (self.folder / "orders.csv").write_text(lines, encoding="utf-8")
        told: dict[str, Any] = json.loads(self.call("run", "-o", "json").output)
        assert told["result"] == "Succeeded", told
        return told

    def call(self, *words: str, answer: str | None = None) -> Result:
        """What a command prints, and its exit code."""
        return CliRunner().invoke(main, [*words, "-f", str(self.folder / "orders.yaml")], catch_exceptions=False, input=answer)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """What somebody else does or sees."""
        with sqlite3.connect(self.folder / "rows.db") as connection:
            found = connection.execute(statement).fetchall()
        connection.close()
        return found

    def amounts(self) -> list[tuple[Any, ...]]:
        """What the table holds."""
        return self.sql("SELECT id, amount FROM orders ORDER BY id")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """After a run of a good file, one with mistakes, and an edit of somebody."""
    made = Shop(tmp_path)
    made.run(GOOD)
    made.run(MISTAKE)
    made.sql("UPDATE orders SET amount = '7.00' WHERE id = 3")
    return made


def test_the_plan_is_shown_and_nothing_is_done_without_yes(shop: Shop) -> None:
    before = shop.amounts()
    planned = shop.call("undo", "orders", "--plan")
    assert planned.exit_code == 0
    told = [" ".join(line.split()) for line in planned.output.splitlines()[1:]]
    assert told == ["2 to their former values", "1 that it had inserted, to be removed", "1 changed or removed since, to be left alone"]
    asked = shop.call("undo", "orders", answer="y\n")
    assert asked.exit_code == 2
    assert "nobody can be asked here: add --yes to do it, or --plan to look only" in asked.stderr
    assert shop.amounts() == before


def test_the_last_run_is_undone(shop: Shop) -> None:
    done = shop.call("undo", "--yes")
    assert done.exit_code == 0, done.output
    assert "undone: 2 restored, 1 removed, 1 changed since and left" in done.output
    assert shop.amounts() == [(1, "10.00"), (2, "20.00"), (3, "7.00")]
    again = shop.call("undo", "--yes", "-o", "json")
    assert json.loads(again.output)["undone"]["removed"] == 2  # the run before it: the row that somebody changed stays
    assert shop.amounts() == [(3, "7.00")]
    over = shop.call("undo", "--yes")
    assert (over.exit_code, "NotFound: of no run it is kept what it did to rows" in over.stderr) == (1, True)


def test_runs_are_listed(shop: Shop) -> None:
    listed = shop.call("undo", "--list")
    assert listed.exit_code == 0
    assert [line.split()[4] for line in listed.output.splitlines()] == ["ROWS", "4", "3"]
    runs = json.loads(shop.call("undo", "--list", "-o", "json").output)
    shop.call("undo", "--run", runs[1]["run"][:6], "--yes")
    assert json.loads(shop.call("undo", "--list", "-o", "json").output)[1]["undoneBy"]


def test_rewind_takes_the_same_file_again(shop: Shop) -> None:
    assert shop.run(MISTAKE)["counts"]["read"] == 0
    shop.call("undo", "--yes", "--rewind")
    told = shop.run(MISTAKE)
    assert (told["counts"]["updated"], told["counts"]["inserted"]) == (3, 1)


def test_what_an_operator_did_is_asked_for_by_its_identity(shop: Shop) -> None:
    shop.sql("UPDATE syncsource_images SET identity = 'uid/default/orders'")
    shop.sql("UPDATE syncsource_runs SET identity = 'uid/default/orders'")
    assert shop.call("undo", "--list").output.strip() == "No run can be undone"
    assert shop.call("undo", "--yes", "--identity", "uid/default/orders").exit_code == 0
    assert shop.amounts() == [(1, "10.00"), (2, "20.00"), (3, "7.00")]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--list", "--yes"], 2, "--list goes with none of"),
        (["--run", "nothing"], 1, "NotFound: no run of this SyncSource has an id that begins with 'nothing'"),
    ],
)
def test_what_can_not_be_done_is_told(shop: Shop, words: list[str], code: int, told: str) -> None:
    called = shop.call("undo", *words)
    assert (called.exit_code, told in called.stderr) == (code, True), called.stderr
