"""``syncsource conflicts``: what both sides changed is listed with both values, and resolved for one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_undo import Shop

FIRST = "id,amount\n1,10\n2,20\n3,30\n"
SECOND = "id,amount\n1,11\n2,22\n3,33\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """After two rows were changed by both sides."""
    made = Shop(tmp_path)
    made.declare(write={"onExisting": "Merge"})
    made.run(FIRST)
    made.sql("UPDATE orders SET amount = '99.00' WHERE id IN (1, 2)")
    told = made.run(SECOND)
    assert (told["counts"]["updated"], told["counts"]["conflicts"], told["conflicts_total"]) == (1, 2, 2)
    return made


def test_conflicts_are_listed_and_resolved(shop: Shop) -> None:
    listed = shop.call("conflicts", "orders")
    assert listed.exit_code == 0
    lines = [line.split()[1:5] for line in listed.output.splitlines()]
    assert lines == [["KEY", "COLUMN", "SOURCE", "DESTINATION"], ["id=1", "amount", "11.00", "99.00"], ["id=2", "amount", "22.00", "99.00"]]
    told = json.loads(shop.call("conflicts", "-o", "json").output)
    first, second = (one["id"] for one in told["conflicts"])
    taken = shop.call("conflicts", "--take-source", first)
    assert "1 conflict resolved for the source, 1 left" in taken.output
    kept = shop.call("conflicts", "--keep", second)
    assert "1 conflict resolved for the destination, 0 left" in kept.output
    assert shop.amounts() == [(1, "11.00"), (2, "99.00"), (3, "33.00")]
    assert shop.call("conflicts").output.strip() == "No conflicts"


def test_sensitive_values_are_masked(shop: Shop) -> None:
    fields = [{"name": "id", "type": "integer"}, {"name": "amount", "type": "decimal(8,2)", "sensitive": True}]
    shop.declare(write={"onExisting": "Merge"}, fields=fields)
    listed = shop.call("conflicts", "orders")
    assert listed.exit_code == 0
    assert "***" in listed.output
    assert "99.00" not in listed.output


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--keep", "zz"], 1, "NotFound: no conflict has an id that begins with 'zz'"),
        (["--keep", "all", "--take-source", "all"], 2, "choose one of --take-source and --keep"),
    ],
)
def test_what_can_not_be_done_is_told(shop: Shop, words: list[str], code: int, told: str) -> None:
    called = shop.call("conflicts", *words)
    assert (called.exit_code, told in called.output + called.stderr) == (code, True), called.output
    assert shop.amounts()[0] == (1, "99.00")
