"""From ``kubectl apply`` to rows of a MariaDB that people also edit, with a password that nobody else gets to see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Cluster, history, ready, told
from tests.e2e.databases import Warehouse, opened
from tests.e2e.scene import Scene, counts, did
from tests.mariadb import mariadb_server

PASSWORD = "s3cr3t%2Fp%C3%A4ss"


@pytest.fixture(scope="module")
def mariadb() -> Iterator[Warehouse]:
    """The product's user may do what the documentation says, and nothing else."""
    with mariadb_server() as uri, opened("mariadb", uri) as admin:
        admin.sql("CREATE USER shop@'%' IDENTIFIED BY 's3cr3t/päss'")
        admin.sql("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, INDEX, CREATE TEMPORARY TABLES ON test.* TO shop@'%'")
        yield Warehouse("mariadb", uri.replace("root@", f"shop:{PASSWORD}@"), admin.engine)


def test_rows_and_what_people_do_to_them(cluster: Cluster, api: Api, mariadb: Warehouse) -> None:
    scene = Scene("orders-mariadb", cluster, api, Orders(250), mariadb)
    api.routes[scene.path] = scene.orders
    scene.apply(schedule={"every": "1h"})
    assert counts(history(scene.wait(ready))[0]) == did(read=250, inserted=250)
    assert scene.rows() == scene.orders.rows()

    mariadb.sql(f"ALTER TABLE {scene.table} ADD COLUMN notes text DEFAULT 'ours'")
    mariadb.sql(f"UPDATE {scene.table} SET notes = 'theirs', customer = 'edited' WHERE id = 7")
    done = scene.request("again")
    assert counts(history(done)[0]) == did(read=250, updated=1, unchanged=249)
    assert scene.rows() == scene.orders.rows()
    assert mariadb.sql(f"SELECT notes, count(*) FROM {scene.table} GROUP BY notes ORDER BY notes") == [("ours", 249), ("theirs", 1)]

    mariadb.sql("ALTER USER shop@'%' IDENTIFIED BY 'another'")
    mariadb.sql("FLUSH PRIVILEGES")
    for (connection,) in mariadb.sql("SELECT id FROM information_schema.processlist WHERE user = 'shop'"):
        mariadb.sql(f"KILL {connection}")
    failed = scene.request("refused")
    assert told(failed)["Ready"][:2] == ("False", "DatabaseAuthFailed")
    assert "s3cr3t" not in str(failed)
