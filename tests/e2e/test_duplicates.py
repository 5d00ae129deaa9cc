"""``syncsource duplicates``: from a table with rows that share a key to one of each, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_undo import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A table that people have filled twice."""
    made = Shop(tmp_path)
    made.sql("CREATE TABLE orders (n INTEGER PRIMARY KEY, id INTEGER, amount TEXT)")
    made.sql(
        "INSERT INTO orders (id, amount) VALUES (1, '10.00'), (2, '20.00'), (1, '11.00'), (1, '12.00'), (NULL, '1.00'), (NULL, '1.00')"
    )
    return made


def test_there_are_some(shop: Shop) -> None:
    found = shop.call("duplicates", "orders")
    assert found.exit_code == 1
    assert found.output == "orders: 1 keys (id) have more than one row, 2 rows too many\n\nKEY    ROWS\nid=1   3\n"
    told = json.loads(shop.call("duplicates", "-o", "json").output)
    assert told == {"table": "orders", "keys": ["id"], "groups": 1, "surplus": 2, "examples": [{"key": {"id": "1"}, "rows": 3}]}


def test_one_of_each_stays_and_the_others_come_back(shop: Shop) -> None:
    before = shop.sql("SELECT * FROM orders ORDER BY n")
    planned = shop.call("duplicates", "--fix", "--keep", "highest", "--by", "amount", "--plan")
    assert planned.exit_code == 0
    told = [" ".join(line.split()) for line in planned.output.splitlines()]
    assert told == ["2 rows to be deleted", "1 rows of the same keys to stay, those with the highest amount"]
    asked = shop.call("duplicates", "--fix", answer="y\n")
    assert (asked.exit_code, "nobody can be asked here" in asked.stderr) == (2, True)
    assert shop.sql("SELECT * FROM orders ORDER BY n") == before
    done = shop.call("duplicates", "--fix", "--keep", "highest", "--by", "amount", "--yes")
    assert (done.exit_code, "2 duplicates deleted, one row of each of 1 keys kept" in done.output) == (0, True), done.output
    assert shop.sql("SELECT n FROM orders WHERE id = 1") == [(4,)]
    none = shop.call("duplicates")
    assert (none.exit_code, none.output) == (0, "orders: no two rows share a key (id)\n")
    assert [line.split()[1] for line in shop.call("undo", "--list").output.splitlines()] == ["TRIGGER", "Duplicates"]
    assert shop.call("undo", "--yes").exit_code == 0
    assert shop.sql("SELECT * FROM orders ORDER BY n") == before


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--by", "amount"], 2, "go with --fix"),
        (["--fix", "--by", "sum", "--yes"], 1, "SchemaMismatch: --by: the table 'orders' has no column 'sum'"),
    ],
)
def test_what_can_not_be_done_is_told(shop: Shop, words: list[str], code: int, told: str) -> None:
    called = shop.call("duplicates", *words)
    assert (called.exit_code, told in called.stderr) == (code, True), called.stderr
