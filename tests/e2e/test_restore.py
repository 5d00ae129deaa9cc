"""``syncsource restore``: from a table that a file and people have spoiled to the copy that the run before it left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.test_undo import GOOD, MISTAKE, Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """After a run of a good file, one with mistakes, and edits of somebody."""
    made = Shop(tmp_path)
    made.declare(safety={"backup": {"mode": "Table"}, "undo": {"keep": "14d"}})
    made.run(GOOD)
    made.run(MISTAKE)
    made.sql("UPDATE orders SET amount = '7.00' WHERE id = 3")
    made.sql("DELETE FROM orders WHERE id = 2")
    return made


def test_the_plan_is_shown_and_nothing_is_done_without_yes(shop: Shop) -> None:
    before = shop.amounts()
    planned = shop.call("restore", "orders", "--plan")
    assert planned.exit_code == 0
    told = [" ".join(line.split()) for line in planned.output.splitlines()[1:]]
    assert told == ["2 changed since, to be set back", "1 added since, to be removed", "1 gone since, to be inserted again"]
    asked = shop.call("restore", answer="y\n")
    assert (asked.exit_code, "nobody can be asked here" in asked.stderr) == (2, True)
    assert shop.amounts() == before


def test_the_table_is_what_it_was_and_the_restore_can_be_undone(shop: Shop) -> None:
    before = shop.amounts()
    done = shop.call("restore", "--yes")
    assert (done.exit_code, "restored: 2 set back, 1 removed, 1 inserted again" in done.output) == (0, True), done.output
    assert shop.amounts() == [(1, "10.00"), (2, "20.00"), (3, "30.00")]
    again = json.loads(shop.call("restore", "--yes", "-o", "json").output)
    assert (again["result"], again["restored"]["restored"]) == ("Succeeded", 0)
    assert shop.call("undo", "--yes").exit_code == 0
    assert shop.amounts() == before


def test_backups_are_listed(shop: Shop) -> None:
    [told] = json.loads(shop.call("restore", "--list", "-o", "json").output)
    head, row = shop.call("restore", "--list").output.splitlines()
    assert head.split() == ["ID", "MADE", "ROWS", "TABLE"]
    assert row.split() == [told["id"], told["madeAt"], "3", told["table"]]
    assert shop.call("restore", "--backup", told["id"][:8], "--yes").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [(["--list", "--yes"], 2, "--list goes with none of"), (["--backup", "x"], 1, "NotFound: no backup has an id that begins with 'x'")],
)
def test_what_can_not_be_done_is_told(shop: Shop, words: list[str], code: int, told: str) -> None:
    called = shop.call("restore", *words)
    assert (called.exit_code, told in called.stderr) == (code, True), called.stderr


def test_where_there_is_none(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.run(GOOD)
    assert shop.call("restore", "--list").output == "There is no backup\n"
    called = shop.call("restore", "--yes")
    assert (called.exit_code, "NotFound: there is no backup" in called.stderr) == (1, True)


def test_from_a_file(tmp_path: Path) -> None:
    """The same words, with a directory: as the manifest's author may name any."""
    shop, folder = Shop(tmp_path), tmp_path / "backups"
    folder.mkdir()
    shop.declare(safety={"backup": {"mode": "File", "directory": str(folder)}})
    assert "Backup       files go to" in shop.call("test").output
    shop.run(GOOD)
    shop.run(MISTAKE)
    [told] = json.loads(shop.call("restore", "--list", "-o", "json").output)
    head, row = shop.call("restore", "--list").output.splitlines()
    assert head.split() == ["ID", "MADE", "ROWS", "FILE"]
    assert row.split() == [told["id"], told["madeAt"], "3", told["file"]]
    assert Path(told["file"]).parent == folder
    assert shop.call("restore", "--yes").exit_code == 0
    assert shop.amounts() == [(1, "10.00"), (2, "20.00"), (3, "30.00")]


@pytest.mark.parametrize(
    ("backup", "told"),
    [
        ({"mode": "File"}, "directory is for mode File, which needs it"),
        ({"mode": "Table", "directory": "/backups"}, "directory is for mode File, which needs it"),
        ({"mode": "File", "directory": "/backups/../etc"}, "directory must be written without . and .."),
        ({"mode": "File", "directory": "backups"}, "spec.safety.backup.directory"),
        ({"mode": "File", "directory": "/"}, "spec.safety.backup.directory"),
    ],
)
def test_a_directory_that_could_mean_anything_is_refused(tmp_path: Path, backup: dict[str, str], told: str) -> None:
    shop = Shop(tmp_path)
    shop.declare(safety={"backup": backup})
    called = shop.call("validate")
    assert (called.exit_code, told in called.output + called.stderr) == (1, True), called.output + called.stderr


def test_what_test_tells_of_a_directory_that_is_not_there(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.declare(safety={"backup": {"mode": "File", "directory": str(tmp_path / "none")}})
    called = shop.call("test")
    assert (called.exit_code, "DirectoryRefused" in called.output) == (1, True), called.output
