"""Orders that a source changes and people edit, by SyncSource and by dlt: ours stays as it is, and docs/compared.md says what dlt does.

What dlt does is asserted as it is, good or bad: where another version does better, this fails, and the page is to be written anew.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from sqlalchemy.exc import DBAPIError

from syncsource.cli.main import main
from tests.e2e.databases import Warehouse
from tests.peers.conftest import Dlt

Orders = list[dict[str, Any]]
Load = Callable[[Orders], None]
"""A run of the source with these orders."""
Fates = tuple[str, ...]
"""What became of the column that people added in a row that the source left alone, and in one that it changed;
of their edit of a column of the source's in such rows; of their own row."""

ROOT = Path(__file__).parents[2]
NAMES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB", "sqlite": "SQLite"}
KEPT, LOST = "kept", "lost"
FILLED = "kept, once `_dlt_id` and `_dlt_load_id` are filled in"

BEFORE: Orders = [{"id": number, "phone": f"0811-{number}", "status": "new", "version": 1} for number in range(1, 7)]
CHANGED: Orders = [
    {**BEFORE[1], "status": "paid", "version": 2},
    {**BEFORE[3], "status": "paid", "version": 2},
    {"id": 7, "phone": "0811-7", "status": "new", "version": 1},
]
AFTER: Orders = [BEFORE[0], CHANGED[0], BEFORE[2], CHANGED[1], BEFORE[4], BEFORE[5], CHANGED[2]]
"""All orders, as the source has them after its changes."""
OWN = (100, "0833", "by hand", 0, "mine")


def story(load: Load, warehouse: Warehouse, second: Orders = AFTER) -> Fates:
    """The source's first run, then people, then a run after the source's changes: what became of what people did."""
    load(BEFORE)
    people(warehouse)
    typed = type_in(warehouse)
    load(second)
    rows = {row[0]: row for row in warehouse.sql("SELECT id, phone, status, version, note FROM orders")}
    own = typed if rows.pop(OWN[0], None) == OWN else LOST
    notes = [KEPT if rows[number][4] == "call first" else LOST for number in (1, 2)]
    phones = [KEPT if rows[number][1] == "0822" else LOST for number in (3, 4)]
    return (*notes, *phones, own)


def people(warehouse: Warehouse) -> None:
    """A column of their own in two rows, and their telephone number in two others; the source changes one of each."""
    warehouse.sql("ALTER TABLE orders ADD COLUMN note varchar(40)")
    warehouse.sql("UPDATE orders SET note = 'call first' WHERE id IN (1, 2)")
    warehouse.sql("UPDATE orders SET phone = '0822' WHERE id IN (3, 4)")


def type_in(warehouse: Warehouse) -> str:
    """A row of their own: what it takes."""
    try:
        warehouse.sql(f"INSERT INTO orders (id, phone, status, version, note) VALUES {OWN}")
    except DBAPIError:
        columns = "id, phone, status, version, note, _dlt_id, _dlt_load_id"
        warehouse.sql(f"INSERT INTO orders ({columns}) VALUES {(*OWN, 'mine', 'mine')}")
        return FILLED
    return KEPT


def assert_the_source_s_are_there(warehouse: Warehouse) -> None:
    """Its orders as they are now, each once, but for what people may have edited; and the one that people typed in."""
    found = warehouse.sql("SELECT id, status, version FROM orders ORDER BY id")
    assert found == [*((row["id"], row["status"], row["version"]) for row in AFTER), (OWN[0], *OWN[2:4])]
    phones = warehouse.sql("SELECT id, phone FROM orders WHERE id NOT IN (3, 4, 100) ORDER BY id")
    assert phones == [(row["id"], row["phone"]) for row in AFTER if row["id"] not in (3, 4)]


def syncsource(folder: Path, warehouse: Warehouse, on_existing: str) -> Load:
    """``syncsource run`` of a file with the orders."""
    spec = {
        "source": {"csv": {"path": "orders.csv"}},
        "fields": [{"name": name, "type": "text" if name in ("phone", "status") else "integer"} for name in BEFORE[0]],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}},
        "write": {"onExisting": on_existing},
    }
    source = {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": "orders"}, "spec": spec}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": warehouse.url}}
    manifest = folder / "orders.yaml"
    manifest.write_text(yaml.safe_dump_all([secret, source]), encoding="utf-8")

    def load(orders: Orders) -> None:
        with (folder / "orders.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(orders[0]))
            writer.writeheader()
            writer.writerows(orders)
        told = CliRunner().invoke(main, ["run", "-o", "json", "-f", str(manifest)], catch_exceptions=False)
        assert json.loads(told.output)["result"] == "Succeeded", told.output

    return load


OURS: dict[str, Fates] = {
    "Merge": (KEPT, KEPT, KEPT, KEPT, KEPT),
    "Update": (KEPT, KEPT, LOST, LOST, KEPT),  # an edit of a column that is mapped: it is the source's
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("on_existing", OURS)
def test_what_people_did_is_kept_by_us(on_existing: str, kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(kind)
    assert story(syncsource(tmp_path, warehouse, on_existing), warehouse) == OURS[on_existing]
    assert_the_source_s_are_there(warehouse)


@dataclass(frozen=True)
class Way:
    """How dlt is told to write, what the source sends it the second time, and what becomes of what people did on these databases."""

    title: str
    kinds: tuple[str, ...]
    fates: Fates
    write: dict[str, Any] = field(default_factory=dict)
    second: str = "all"


UPSERT = {"strategy": "upsert"}
VERSION = {**UPSERT, "skip_unchanged_rows": True, "row_version_column_name": "version"}
WAYS = [
    Way("dlt, `merge` as it comes: delete-insert", tuple(NAMES), (LOST, LOST, LOST, LOST, FILLED)),
    Way("dlt, delete-insert, sent what changed only", tuple(NAMES), (KEPT, LOST, KEPT, LOST, FILLED), second="changed"),
    Way("dlt, upsert", ("postgresql",), (KEPT, KEPT, LOST, LOST, FILLED), UPSERT),
    Way("dlt, upsert of rows with another version", ("postgresql",), (KEPT, KEPT, KEPT, LOST, FILLED), VERSION),
]


def loading(dlt: Dlt, folder: Path, warehouse: Warehouse, write: dict[str, Any]) -> Load:
    """dlt into the place that SyncSource would write to, by the primary key."""
    ask = {"postgresql": "SELECT current_schema()", "mariadb": "SELECT database()", "sqlite": "SELECT 'main'"}
    ((dataset,),) = warehouse.sql(ask[warehouse.kind])

    def load(orders: Orders) -> None:
        url = warehouse.url.partition("&options=")[0]  # dlt names the schema itself
        if error := dlt.load(url=url, dataset=dataset, folder=str(folder / "pipelines"), orders=orders, write=write):
            raise ValueError(error)

    return load


@pytest.mark.parametrize(("way", "kind"), [pytest.param(way, kind, id=f"{way.title}-{kind}") for way in WAYS for kind in way.kinds])
def test_what_becomes_of_it_by_dlt(way: Way, kind: str, tmp_path: Path, dlt: Dlt, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(kind)
    assert story(loading(dlt, tmp_path, warehouse, way.write), warehouse, AFTER if way.second == "all" else CHANGED) == way.fates
    assert_the_source_s_are_there(warehouse)


NOT_OFFERED = ("mariadb", "sqlite")


@pytest.mark.parametrize("kind", NOT_OFFERED)
def test_dlt_refuses_to_upsert(kind: str, tmp_path: Path, dlt: Dlt, request: pytest.FixtureRequest) -> None:
    warehouse: Warehouse = request.getfixturevalue(kind)
    with pytest.raises(ValueError, match="`upsert` merge strategy not supported"):
        loading(dlt, tmp_path, warehouse, UPSERT)(BEFORE)
    assert "orders" not in warehouse.tables()


def test_the_page_says_so() -> None:
    page = (ROOT / "docs/compared.md").read_text(encoding="utf-8")
    shown = [line for line in page.splitlines() if line.startswith(("| SyncSource,", "| dlt,"))]
    found = [(f"SyncSource, `onExisting: {name}`", tuple(NAMES), fates) for name, fates in OURS.items()]
    found += [(way.title, way.kinds, way.fates) for way in WAYS]
    found.append(("dlt, upsert", NOT_OFFERED, ("not offered",) * 5))
    assert shown == ["| " + " | ".join([title, ", ".join(NAMES[kind] for kind in kinds), *fates]) + " |" for title, kinds, fates in found]
    pinned = re.search(r"^dlt==(.+)$", (ROOT / "requirements-bench.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert pinned is not None
    assert f"dlt {pinned[1]}" in page
