"""Real flights (336,776 in a soak) from an API that nobody here wrote, into PostgreSQL, by the sample manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.e2e import flights
from tests.e2e.cluster import Cluster, Object, history, ready, secret, told
from tests.e2e.databases import Warehouse
from tests.e2e.scene import counts, did

SAMPLE = Path(__file__).parents[2] / "manifests" / "samples" / "flights.yaml"
PATIENCE = 300


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Datasette's URL."""
    file = tmp_path_factory.mktemp("datasette") / "flights.db"
    flights.fill(file)
    with flights.datasette(file) as url:
        yield url


@pytest.mark.soak
@pytest.mark.timeout(2 * PATIENCE)
def test_flights(cluster: Cluster, upstream: str, postgresql: Warehouse) -> None:
    manifest = yaml.safe_load(SAMPLE.read_text().replace("http://127.0.0.1:8001", upstream))
    cluster.apply(secret("warehouse", url=postgresql.url), manifest)
    first = cluster.wait("flights", ready, seconds=PATIENCE)
    assert told(first)["Ready"] == (
        "True",
        "Succeeded",
        f"{flights.COUNT:,} read, {flights.COUNT:,} inserted, 0 updated, 0 unchanged in <took>",
    )
    assert counts(history(first)[0]) == did(read=flights.COUNT, inserted=flights.COUNT)
    assert first["status"]["lastRun"]["changed"] == flights.COUNT
    assert differences(postgresql, manifest) == (flights.COUNT, flights.COUNT, 0, 0)

    second = cluster.request("flights", "again", seconds=PATIENCE)
    assert counts(history(second)[0]) == did(read=flights.COUNT, unchanged=flights.COUNT)
    assert second["status"]["lastRun"]["changed"] == 0


def differences(warehouse: Warehouse, manifest: Object) -> tuple[int, int, int, int]:
    """Rows of the table, of the CSV, and those that only one of them has, every field compared. The database compares: it has the memory."""
    fields = manifest["spec"]["fields"]
    kinds = {"integer": "bigint", "text": "text", "timestamp": "timestamptz"}
    columns = ", ".join(f"{field['name']} {kinds[field['type']]}" for field in fields)
    names = ", ".join(field["name"] for field in fields)
    with psycopg.connect(warehouse.url) as connection:
        connection.execute(f"CREATE TEMPORARY TABLE csv ({columns})")
        with connection.cursor().copy(f"COPY csv ({names}) FROM STDIN") as copy:
            for row in flights.rows():
                copy.write_row([row[field["name"]] for field in fields])
        found = connection.execute(
            "SELECT (SELECT count(*) FROM flights), (SELECT count(*) FROM csv), "
            f"(SELECT count(*) FROM (SELECT {names} FROM flights EXCEPT ALL SELECT {names} FROM csv) AS more), "
            f"(SELECT count(*) FROM (SELECT {names} FROM csv EXCEPT ALL SELECT {names} FROM flights) AS less)"
        ).fetchone()
    assert found is not None
    one, other, more, less = found
    return one, other, more, less
