"""``syncsource test`` and ``syncsource preview``: what they find, and that they write nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Object, secret
from tests.e2e.databases import Warehouse, sqlite_file
from tests.e2e.product import run


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Warehouse]:
    """A fresh file."""
    with sqlite_file(tmp_path / "rows.db") as warehouse:
        yield warehouse


@pytest.fixture
def orders(api: Api) -> Orders:
    """250 of them."""
    api.routes["/orders"] = orders = Orders(250)
    return orders


def files(tmp_path: Path, api: Api, url: str | None, path: str = "/orders", **spec: Any) -> tuple[str, str]:
    """``-f`` and a file with a SyncSource of the orders, and its Secret unless there is no URL."""
    manifest = source("orders", api, path, secret="db", table="orders", **{"http": {"pagination": PAGES}, **spec})
    documents: list[Object] = [manifest, *([secret("db", url=url)] if url else [])]
    file = tmp_path / "orders.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    return "-f", str(file)


def steps(*arguments: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """The exit code, and by step: result, reason, message."""
    done = run("test", *arguments, "-o", "json")
    return done.returncode, {one["step"]: (one["result"], one["reason"], one["message"]) for one in json.loads(done.stdout)["steps"]}


def test_every_step_says_what_it_found(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    code, found = steps(*files(tmp_path, api, rows.url, incremental={"cursor": "modified", "param": "modified_after"}))
    assert (code, {result for result, _, _ in found.values()}) == (0, {"Ok"}), found
    assert list(found) == ["Secrets", "Destination", "Table", "Ledger", "Connection", "First page", "Fields", "Cursor"]
    assert found["Table"][2] == "orders is not there; the first run creates it"
    assert found["Connection"][2].startswith("127.0.0.1 answers at 127.0.0.1, port ")
    assert "syncsource_ledger" not in rows.tables()
    assert "orders" not in rows.tables()


def test_each_side_is_told_though_the_other_fails(api: Api, tmp_path: Path) -> None:
    code, found = steps(*files(tmp_path, api, "sqlite:////nowhere/rows.db", "/nothing"))
    assert code == 1
    assert found["Destination"][:2] == ("Failed", "InvalidSpec")
    assert found["First page"][:2] == ("Failed", "NotFound"), "the API has no such path"


def test_a_secret_that_is_missing_is_a_step_that_failed(api: Api, tmp_path: Path) -> None:
    code, found = steps(*files(tmp_path, api, None))
    assert code == 1
    assert found == {"Secrets": ("Failed", "SecretNotFound", "Secret db has no key url, which spec.destination.sql.urlFrom needs: add it")}


def test_fields_that_do_not_fit_are_named(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    fields = [{"name": "id", "type": "integer"}, {"name": "colour", "path": "no.colour", "type": "text"}]
    code, found = steps(*files(tmp_path, api, rows.url, fields=fields, incremental={"cursor": "no.cursor", "param": "since"}))
    assert code == 1
    assert found["Fields"] == ("Warning", "AlwaysNull", "null in every record: colour; do the paths in spec.fields fit the records?")
    assert found["Cursor"][:2] == ("Failed", "CursorNotFound")


def test_people_read_a_line_for_each_step(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    done = run("test", *files(tmp_path, api, rows.url))
    assert done.returncode == 0, done.stderr
    assert "ok       Secrets      1 key found\n" in done.stdout


def test_a_preview_tells_what_a_run_would_do(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    given = files(tmp_path, api, rows.url)
    done = run("preview", *given, "--limit", "3", "-o", "json")
    found = json.loads(done.stdout)
    assert (found["creates"], [one["action"] for one in found["records"]]) == (True, ["Insert"] * 3)
    assert "orders" not in rows.tables()
    assert run("run", *given).returncode == 0
    before = rows.sql("SELECT * FROM orders")
    changed = found["records"][1]["values"]["id"]
    rows.sql(f"UPDATE orders SET customer = 'mine' WHERE id = {changed}")
    after = json.loads(run("preview", *given, "--limit", "2", "-o", "json").stdout)
    assert [(one["action"], one["changed"]) for one in after["records"]] == [("Unchanged", []), ("Update", ["customer"])]
    assert len(rows.sql("SELECT * FROM orders")) == len(before)
    shown = run("preview", *given, "--limit", "2").stdout
    assert shown.startswith("2 records for orders\n\npage 1, record 1  Unchanged\n")
    assert "~ customer" in shown


def test_a_preview_that_can_not_read_says_why(api: Api, rows: Warehouse, tmp_path: Path) -> None:
    done = run("preview", *files(tmp_path, api, rows.url, "/nothing"))
    assert (done.returncode, done.stderr[:17]) == (1, "error: NotFound: ")
