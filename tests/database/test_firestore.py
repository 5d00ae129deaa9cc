"""Firestore into a database, by the engine: rows exactly, one query where nothing changed, reads counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud.firestore_v1 import GeoPoint

from syncsource import ledger
from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome
from syncsource.engine.stopping import Stop
from syncsource.sources.hosts import local_hosts
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.firestore.querying import Value
from tests.firestore.server import DOCUMENTS, PROJECT, Firestore, firestore, refusal

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIELDS = [
    {"name": "id", "path": "__id__", "type": "text"},
    {"name": "store", "type": "text"},
    {"name": "total", "path": "amount.total", "type": "decimal(20,2)"},
    {"name": "big", "type": "integer"},
    {"name": "place", "type": "json"},
    {"name": "changed", "type": "timestamp"},
]


@pytest.fixture
def server() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


def order(number: int, **more: Any) -> dict[str, Any]:
    store = Value(reference_value=f"{DOCUMENTS}/stores/{number % 3}")
    changed = MOMENT + timedelta(seconds=number, microseconds=1)
    fields = {
        "store": store,
        "amount": {"total": number + 0.25, "currency": "EUR"},
        "big": 2**53 + number,
        "changed": changed,
        "note": "x" * 500,
    }
    return {**fields, "place": GeoPoint(1.5, -2.0), **more}


class Orders(Engine):
    """The engine on the orders of a server."""

    def __init__(self, place: Place, server: Firestore, **source: Any) -> None:
        declared = {"project": PROJECT, "collection": "orders", "endpoint": server.url, "pageSize": 4, "references": "Id", **source}
        destination = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}}
        incremental = {"cursor": "changed"}
        super().__init__(place, "orders", source={"firestore": declared}, incremental=incremental, fields=FIELDS, destination=destination)

    def sync(self, *, full: bool = False) -> Outcome:
        """A run as the operator has it."""
        stop = Stop()
        return execute(self.plan(full=full), hosts=local_hosts(stop.event), stop=stop, progress=self.progress.append)

    def found(self) -> list[tuple[Any, ...]]:
        return self.place.sql("SELECT id, store, big FROM orders ORDER BY id")


def counted(outcome: Outcome) -> tuple[int, ...]:
    """read, inserted, updated, unchanged, quarantined."""
    counts = outcome.counts
    return counts.read, counts.inserted, counts.updated, counts.unchanged, counts.quarantined


def test_documents_become_rows_and_an_unchanged_collection_costs_one_query_per_run(place: Place, server: Firestore) -> None:
    for number in range(10):
        server.put(f"orders/o{number}", order(number))
    orders = Orders(place, server)
    first = orders.sync()
    assert (first.result, counted(first), first.document_reads) == ("Succeeded", (10, 10, 0, 0, 0), 10)
    assert orders.found() == [(f"o{number}", str(number % 3), 2**53 + number) for number in range(10)]
    (row,) = place.sql("SELECT total, place, changed FROM orders WHERE id = 'o9'")
    assert (float(row[0]), "latitude" in str(row[1]), "12:00:09.000001" in str(row[2])) == (9.25, True, True)

    queries = len(server.queries)
    for run in range(1, 4):
        again = orders.sync()
        assert (again.result, again.counts.inserted, again.counts.updated, again.document_reads) == ("Succeeded", 0, 0, 1)
        assert (len(server.queries) - queries, again.counts.read) == (run, 1 if run == 1 else 0)


def test_what_changed_is_updated_and_billed(place: Place, server: Firestore) -> None:
    for number in range(10):
        server.put(f"orders/o{number}", order(number))
    orders = Orders(place, server)
    orders.sync()
    server.put("orders/o3", order(20))
    server.put("orders/new", order(21))
    changed = orders.sync()
    assert (counted(changed), changed.document_reads, changed.full) == ((3, 1, 1, 1, 0), 3, False)
    full = orders.sync(full=True)
    assert (counted(full), full.document_reads, full.full) == ((11, 0, 0, 11, 0), 11, True)


def test_what_does_not_fit_goes_to_quarantine_and_the_rest_is_written(place: Place, server: Firestore) -> None:
    nanos = Value()
    nanos.timestamp_value.seconds, nanos.timestamp_value.nanos = 1_772_366_400, 123_456_789
    server.put("orders/good", order(1))
    server.put("orders/nanos", order(2, changed=nanos))
    server.put("orders/text", order(3, big="many"))
    orders = Orders(place, server)
    assert counted(orders.sync()) == (3, 1, 0, 0, 2)
    assert ledger.quarantine_counts(place.database.engine, f"{IDENTITY}/orders") == {"InvalidValue": 2}


def test_a_run_that_breaks_off_leaves_nothing_behind_and_recovers(place: Place, server: Firestore) -> None:
    for number in range(10):
        server.put(f"orders/o{number}", order(number))
    orders = Orders(place, server, retry={"attempts": 1})
    server.faults.extend([None, lambda asked, elements: refusal(429, "RESOURCE_EXHAUSTED", "Quota exceeded.")])
    failed = orders.sync()
    assert (failed.result, failed.reason, failed.document_reads) == ("Failed", "RateLimited", 4)
    assert place.sql("SELECT count(*) FROM orders") == [(0,)]
    assert counted(orders.sync()) == (10, 10, 0, 0, 0)
