"""``syncsource verify``: what it prints, and what scripts can go by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from syncsource.cli.main import main
from tests.e2e.test_undo import GOOD, Shop


def test_a_copy_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    unrun = shop.call("verify", "orders")
    assert unrun.exit_code == 1
    shop.run(GOOD)
    exact = shop.call("verify", "orders")
    assert (exact.exit_code, exact.output) == (0, "orders: 100.0000 % of 6 cells are equal\n3 rows compared, 0 missing, 0 different\n")
    shop.sql("UPDATE orders SET amount = '1.00' WHERE id = 2")
    shop.sql("DELETE FROM orders WHERE id = 3")
    shop.sql("INSERT INTO orders VALUES (90, '1.00')")
    wrong = shop.call("verify", "orders")
    assert wrong.exit_code == 1
    lines = [" ".join(line.split()) for line in wrong.output.splitlines()]
    assert lines[:2] == ["orders: 50.0000 % of 6 cells are equal", "3 rows compared, 1 missing, 1 different, 1 extra"]
    assert lines[-2:] == ["id=2 amount", "id=3 missing"]
    assert shop.call("verify", "orders", "--at-least", "50").exit_code == 0
    told = json.loads(shop.call("verify", "orders", "--limit", "2", "-o", "json").output)
    assert (told["rows"], told["complete"], told["extra"]) == (
        3,
        False,
        None,
    )  # all of the first page, and nobody knows whether more follow


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "say which SyncSource: NAME of the control plane, or -f FILE"),
        (["orders", "--limit", "3"], "--limit is for -f only"),
        (["orders", "--env-file", "x"], "--env-file is for -f only"),
        (["-f", "orders.yaml", "--timeout", "3s"], "--timeout is not for -f: that needs no control plane"),
        (["-f", "orders.yaml", "-n", "shop"], "--namespace is not for -f: that needs no control plane"),
    ],
)
def test_options_that_would_be_ignored_are_refused(words: list[str], error: str) -> None:
    refused = CliRunner().invoke(main, ["verify", *words])
    assert (refused.exit_code, refused.stderr) == (2, f"error: {error}\n")
