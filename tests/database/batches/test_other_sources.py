"""Batches of documents, which are gone on from, and of files, which are read again, unless they were read to their end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome
from syncsource.engine.stopping import Stop
from syncsource.sources.files import Files
from syncsource.sources.hosts import local_hosts
from tests.database.batches.paged import batched, ids
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.test_firestore import MOMENT
from tests.firestore.server import PROJECT, Firestore, firestore, refusal

BATCHES = {"transaction": "Batch", "batchRows": 3}


@pytest.fixture
def server() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


class Documents(Engine):
    """Orders of a Firestore, in pages of two."""

    def __init__(self, place: Place, server: Firestore, incremental: dict[str, Any] | None) -> None:
        source = {"project": PROJECT, "collection": "orders", "endpoint": server.url, "pageSize": 2, "retry": {"attempts": 1}}
        fields = [
            {"name": "id", "path": "__id__", "type": "text"},
            {"name": "name", "type": "text"},
            {"name": "changed", "type": "timestamp"},
        ]
        destination = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders", "createTable": True}}
        more = {"incremental": incremental} if incremental else {}
        super().__init__(place, "orders", source={"firestore": source}, fields=fields, destination=destination, safety=BATCHES, **more)
        if incremental is None:
            del self.spec["incremental"]

    def sync(self) -> Outcome:
        """A run as the operator has it."""
        stop = Stop()
        return execute(self.plan(), hosts=local_hosts(stop.event), stop=stop, progress=self.progress.append)


def put(server: Firestore, first: int, last: int, name: str = "a") -> None:
    for number in range(first, last + 1):
        server.put(f"orders/o{number:02}", {"name": name, "changed": MOMENT + timedelta(seconds=number, microseconds=1)})


def unavailable(asked: Any, elements: Any) -> Any:
    return refusal(503, "UNAVAILABLE", "Try later.")


@pytest.mark.parametrize("incremental", [None, {"cursor": "changed"}])
def test_a_collection_is_gone_on_with(place: Place, server: Firestore, incremental: dict[str, Any] | None) -> None:
    put(server, 1, 9)
    orders = Documents(place, server, incremental)
    server.faults.extend([None, None, None, unavailable])
    outcome = orders.sync()
    assert (outcome.result, outcome.counts.inserted, outcome.document_reads) == ("Failed", 4, 6)
    outcome = orders.sync()
    assert (outcome.result, outcome.counts.read, outcome.counts.inserted, outcome.document_reads) == ("Succeeded", 5, 5, 5)
    assert ids(orders) == [f"o{number:02}" for number in range(1, 10)]


def test_what_is_new_in_a_collection_is_gone_on_with(place: Place, server: Firestore) -> None:
    """By the cursor, whose type is asked for again."""
    put(server, 1, 3)
    orders = Documents(place, server, {"cursor": "changed"})
    orders.sync()
    put(server, 4, 11)
    server.faults.extend([None, None, None, unavailable])
    outcome = orders.sync()
    assert (outcome.result, outcome.counts.unchanged, outcome.counts.inserted) == ("Failed", 1, 3)
    outcome = orders.sync()
    assert (outcome.result, outcome.counts.read, outcome.counts.inserted) == ("Succeeded", 5, 5)
    assert ids(orders) == [f"o{number:02}" for number in range(1, 12)]


def test_a_collection_that_changed_back_meanwhile_is_read(place: Place, server: Firestore) -> None:
    """What the source remembers of the last complete read counts no more once a part of another one is committed."""
    put(server, 1, 2)
    orders = Documents(place, server, None)
    orders.sync()
    put(server, 1, 9, "b")
    server.faults.extend([None, None, None, unavailable])
    assert orders.sync().counts.updated == 2
    put(server, 1, 2)
    for number in range(3, 10):
        server.delete(f"orders/o{number:02}")
    orders.sync()
    assert orders.sync().result == "Succeeded"
    assert [name for (name,) in place.sql("SELECT name FROM orders ORDER BY id")][:2] == ["a", "a"]


def test_files_that_were_taken_stay_taken_and_the_others_are_read_again(place: Place, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    source = {"csv": {"path": "*.csv", "encoding": "utf-8"}}
    engine = batched(place, safety={"batchRows": 1}, source=source)
    del engine.spec["incremental"]

    def put(name: str, first: int, last: int, header: bytes = b"id,name,amount,changed\n") -> None:
        lines = b"".join(b"%d,a,1,%d\n" % (number, number) for number in range(first, last + 1))
        (folder / name).write_bytes(header + lines)

    def run() -> Outcome:
        stop, plan = Stop(), msgspec.structs.replace(engine.plan(), files=Files(folder=str(folder)))
        return execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda _: None)

    put("1.csv", 1, 5)
    assert run().counts.inserted == 5
    place.sql("UPDATE t SET name = 'mine' WHERE id = 1")  # a file that is taken again would say otherwise
    put("2.csv", 6, 8)
    put("3.csv", 9, 10, b"id,name,amount,when\n")
    outcome = run()
    assert (outcome.result, outcome.counts.inserted, ids(engine)) == ("Failed", 3, list(range(1, 9)))
    put("3.csv", 9, 10)
    outcome = run()
    assert (outcome.result, outcome.counts.unchanged, outcome.counts.inserted) == ("Succeeded", 3, 2)
    assert (ids(engine), engine.rows()[1]["name"]) == (list(range(1, 11)), "mine")
    assert run().counts.read == 0
