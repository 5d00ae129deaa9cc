"""Batches of a REST API, by each kind of pagination, over real requests: counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from syncsource.engine.plan import Outcome
from syncsource.resource.spec import SyncSourceSpec
from syncsource.sources import open_source
from syncsource.sources.hosts import local_hosts
from tests.database.batches.paged import batched, ids, position
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.upstream import KINDS, NDJSON, Asked, Collection, Kind, Reply, Upstream, serving

BY_NAME = {kind.name: kind for kind in KINDS}
KEYSET = BY_NAME["keyset"]
LINES = Kind("ndjson-keyset", KEYSET.pagination, KEYSET.start, NDJSON.answer, asks_beyond=True)
TEMPLATE = {"path": "/orders", "query": {"after": "{{ last.changed }}", "after_id": "{{ last.id }}"}}
TEMPLATED = replace(
    KEYSET,
    name="keyset-templated",
    pagination={"keyset": {"fields": [{"path": "changed"}, {"path": "id"}]}},
    http={"request": TEMPLATE},
)
RESUMING = [BY_NAME["cursor"], BY_NAME["cursor-in-header"], KEYSET, LINES, TEMPLATED]
OTHERS = [kind for kind in KINDS if kind not in RESUMING and kind.pages]
COUNT, SIZE = 11, 2


class Reading:
    """A SyncSource of one kind, and its upstream."""

    def __init__(self, place: Place, kind: Kind, server: Upstream, collection: Collection) -> None:
        self.kind, self.collection = kind, collection
        http = {"baseURL": server.url, "request": {"path": "/orders"}, "retry": {"attempts": 1}, "pagination": kind.pagination, **kind.http}
        self.engine = batched(place, kind="text", source={"http": http | ({"records": kind.records} if kind.records else {})})

    def run(self, *, full: bool = False, **pagination: Any) -> Outcome:
        """One run; the requests of it alone are remembered."""
        self.collection.asked.clear()
        self.collection.begin()
        cancelled = threading.Event()
        spec = SyncSourceSpec.model_validate(self.engine.spec)
        source = open_source(spec, {}, hosts=local_hosts(cancelled), cancelled=cancelled)
        return self.engine.run(source, full=full)

    def break_at(self, page: int | None, status: int = 503) -> None:
        """An answer in place of this page, counted from the run's first."""
        self.collection.spoil = None if page is None else lambda number, reply, asked: Reply(status=status) if number == page else reply


def served(kind: Kind) -> Collection:
    records = [{"id": number, "name": "a", "amount": number, "changed": f"2026-01-{number:02}T00:00:00Z"} for number in range(1, COUNT + 1)]
    return Collection(kind, SIZE, records)


@pytest.fixture
def reading(place: Place, request: pytest.FixtureRequest) -> Iterator[Reading]:
    collection = served(request.param)
    with serving(collection) as server:
        yield Reading(place, request.param, server, collection)


@pytest.fixture
def alone(sqlite: Place, request: pytest.FixtureRequest) -> Iterator[Reading]:
    """On one database."""
    collection = served(request.param)
    with serving(collection) as server:
        yield Reading(sqlite, request.param, server, collection)


@pytest.mark.parametrize("reading", RESUMING, indirect=True, ids=str)
def test_only_the_rest_is_asked_for(reading: Reading) -> None:
    """Eleven records are six pages; the batch of the first two was committed, the third came, and the fourth did not."""
    reading.break_at(4)
    outcome = reading.run()
    assert (outcome.result, outcome.counts.inserted, ids(reading.engine)) == ("Failed", 4, [1, 2, 3, 4])
    reading.break_at(None)
    outcome = reading.run()
    assert (outcome.result, outcome.counts.read, outcome.counts.inserted) == ("Succeeded", 7, 7)
    assert len(reading.collection.asked) == 4 + reading.kind.asks_beyond
    assert ids(reading.engine) == list(range(1, COUNT + 1))
    kept = reading.engine.kept()
    assert (kept and kept.text, position(reading.engine)) == ("2026-01-11T00:00:00Z", None)
    assert reading.run().counts.unchanged == 1


@pytest.mark.parametrize("alone", OTHERS, indirect=True, ids=str)
def test_others_begin_again(alone: Reading) -> None:
    alone.break_at(4)
    left = (alone.run().counts.inserted, position(alone.engine))
    assert (left[0], left[1] and left[1].resume) == (4, None)
    alone.break_at(None)
    outcome = alone.run()
    assert (outcome.result, outcome.counts.read, outcome.counts.unchanged, outcome.counts.inserted) == ("Succeeded", COUNT, 4, 7)
    assert len(alone.collection.asked) == 6 + alone.kind.asks_beyond


@pytest.mark.parametrize("alone", RESUMING, indirect=True, ids=str)
@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_token_that_expired_begins_again_in_the_same_run(alone: Reading, status: int) -> None:
    alone.break_at(4)
    alone.run()

    def expired(number: int, reply: Reply, asked: Asked) -> Reply:
        return Reply(status=status) if len(alone.collection.asked) == 1 else reply

    alone.collection.spoil = expired
    outcome = alone.run()
    assert (outcome.result, outcome.counts.read, outcome.counts.unchanged) == ("Succeeded", COUNT, 4)
    assert len(alone.collection.asked) == 1 + 6 + alone.kind.asks_beyond


@pytest.mark.parametrize("alone", RESUMING, indirect=True, ids=str)
def test_what_fails_for_a_while_begins_nothing_again(alone: Reading) -> None:
    alone.break_at(4)
    alone.run()
    alone.break_at(1)
    assert (alone.run().result, len(alone.collection.asked)) == ("Failed", 1)
    alone.break_at(None)
    assert alone.run().counts.read == 7


@pytest.mark.parametrize("alone", [BY_NAME["cursor"], KEYSET], indirect=True, ids=str)
@pytest.mark.parametrize("stop", [{"afterPages": 5}, {"totalRecords": {"header": "X-All"}}])
def test_rules_that_count_pages_and_records_count_those_before(alone: Reading, stop: dict[str, Any]) -> None:
    """Ten records of the first five pages, whichever way they are counted."""
    alone.engine.spec["source"]["http"]["pagination"] = {**alone.kind.pagination, "stop": stop}

    def totals(number: int, reply: Reply, asked: Asked) -> Reply:
        return replace(reply, headers={**reply.headers, "X-All": "10"})

    alone.collection.spoil = lambda number, reply, asked: Reply(status=503) if number == 4 else totals(number, reply, asked)
    assert alone.run().counts.inserted == 4
    alone.collection.spoil = totals
    outcome = alone.run()
    assert (outcome.result, outcome.counts.read, len(alone.collection.asked)) == ("Succeeded", 6, 3)


def test_ties_are_paged_inside_from_where_it_was(place: Place) -> None:
    """offsetParam goes on in the middle of the tie."""
    records = [{"id": number, "name": "a", "amount": 1, "changed": "2026-01-01T00:00:00Z"} for number in range(1, COUNT + 1)]
    asked: list[dict[str, str]] = []
    broken = [4]

    def script(request: Asked) -> Reply:
        asked.append(request.query)
        if len(asked) in broken:
            return Reply(status=503)
        skip = int(request.query.get("skip", 0))
        return Reply(records[skip : skip + SIZE])

    pagination = {"keyset": {"fields": [{"path": "changed", "param": "from"}], "offsetParam": "skip", "sizeParam": "n", "size": SIZE}}
    with serving(script) as server:
        http = {"baseURL": server.url, "retry": {"attempts": 1}, "pagination": pagination}
        engine: Engine = batched(place, kind="text", source={"http": http})

        def opened() -> Any:
            cancelled = threading.Event()
            return open_source(SyncSourceSpec.model_validate(engine.spec), {}, hosts=local_hosts(cancelled), cancelled=cancelled)

        assert engine.run(opened).counts.inserted == 4
        asked.clear()
        broken.clear()
        assert engine.run(opened).counts.read == 7
    assert [query["skip"] for query in asked] == ["4", "6", "8", "10", "11"]
    assert ids(engine) == list(range(1, COUNT + 1))


@pytest.mark.parametrize("token", ["next", 2**70, 0, "0.10", "ä&=/"])
def test_a_token_comes_back_as_it_was(sqlite: Place, token: Any) -> None:
    asked: list[str | None] = []
    broken = True

    def script(request: Asked) -> Reply:
        asked.append(request.query.get("cursor"))
        first, page = [{"id": 1, "changed": "a"}], [{"id": 2, "changed": "b"}]
        if asked[-1] is None:
            return Reply({"data": first, "next": token})
        return Reply(status=503) if broken else Reply({"data": page, "next": None})

    with serving(script) as server:
        http = {"baseURL": server.url, "records": "data", "retry": {"attempts": 1}, "pagination": {"cursor": {}}}
        engine = batched(sqlite, kind="text", safety={"batchRows": 1}, source={"http": http})

        def opened() -> Any:
            cancelled = threading.Event()
            return open_source(SyncSourceSpec.model_validate(engine.spec), {}, hosts=local_hosts(cancelled), cancelled=cancelled)

        engine.run(opened)
        broken = False
        assert engine.run(opened).result == "Succeeded"
    assert asked == [None, str(token), str(token)]
