"""Firestore page by page: nothing lost, nothing twice, whatever the page size, ties, nesting and changes in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncsource.errors import PermanentError, SchemaMismatch, StalledError
from syncsource.sources import Slice
from syncsource.sources.firestore.query import Query
from syncsource.sources.firestore.reading import Reading, Size
from tests.firestore.querying import segments
from tests.firestore.reading import client_of, ids, opened, read, spec_of
from tests.firestore.server import Firestore, firestore
from tests.upstream import Asked, Reply

EXAMPLES = 500 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 15
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Firestore]:
    with firestore() as server:
        yield server


def fill(server: Firestore, count: int, ties: int = 1) -> list[str]:
    """Orders whose ``changed`` is the same for so many of them."""
    names = [f"o{number:03d}" for number in range(count)]
    for number, name in enumerate(names):
        server.put(f"orders/{name}", {"number": number, "changed": MOMENT + timedelta(seconds=number // ties)})
    return names


@pytest.mark.parametrize("size", [1, 2, 7, 8, 300])
def test_every_document_comes_once_whatever_the_page_size(server: Firestore, size: int) -> None:
    names = fill(server, 8)
    assert ids(read(opened(server, pageSize=size))) == names


def test_pages_hold_what_was_asked_for_and_say_where_they_stand(server: Firestore) -> None:
    fill(server, 5)
    pages = list(opened(server, pageSize=2).pages(Slice()))
    assert [(page.place, len(page.records)) for page in pages] == [("page 1", 2), ("page 2", 2), ("page 3", 1)]
    assert pages[0].served_at is not None


def test_an_empty_collection_is_one_query_and_one_read(server: Firestore) -> None:
    source = opened(server)
    assert read(source) == []
    assert (len(server.queries), server.reads, source.billed) == (1, 1, 1)


def test_more_ties_than_a_page_holds(server: Firestore) -> None:
    """Documents with an equal cursor go over pages by their name."""
    names = fill(server, 9, ties=9)
    source = opened(server, "changed", pageSize=2)
    assert ids(read(source)) == names
    assert ids(read(source, since="2026-03-01T12:00:00Z", state=source.state)) == names


@pytest.mark.parametrize(
    "values",
    [
        [-1.5, 0.1, 1e-300, 1e300, 2**53 + 1, float("inf")],
        ["", " ", "Z", "a", "ä", "\U0001f600", 'quote"\\', "\n"],
        [MOMENT, MOMENT + timedelta(microseconds=1), MOMENT + timedelta(days=9999)],
    ],
)
def test_positions_are_sent_back_digit_for_digit(server: Firestore, values: list[Any]) -> None:
    """Each page begins after the values of the last document, whatever they look like."""
    for number, value in enumerate(values * 2):
        server.put(f"orders/o{number}", {"at": {"a b": value}})
    where = [{"field": 'at."a b"', "op": "NotIn", "values": [-77]}]
    assert sorted(ids(read(opened(server, where=where, pageSize=1)))) == sorted(f"o{number}" for number in range(len(values) * 2))


def test_a_late_row_with_a_cursor_equal_to_the_last_one_is_read(server: Firestore) -> None:
    fill(server, 3)
    source = opened(server, "changed")
    read(source)
    server.put("orders/late", {"changed": MOMENT + timedelta(seconds=2)})
    assert ids(read(source, since="2026-03-01T12:00:02Z", state=source.state)) == ["late", "o002"]


def test_rows_that_are_inserted_between_pages_neither_shift_nor_hide_others(server: Firestore) -> None:
    """Unstable order: all pages of a read show the database at one moment."""
    names = fill(server, 6)
    source = opened(server, pageSize=2)
    pages = source.pages(Slice())
    found = ids(next(pages).records)
    server.put("orders/a-new-one", {"number": -1})
    server.delete("orders/o003")
    for page in pages:
        found += ids(page.records)
    assert found == names
    assert len({str(query.read_time) for query in server.queries[1:]}) == 1
    assert ids(read(source)) == ["a-new-one", *(name for name in names if name != "o003")]


def test_a_read_that_takes_longer_than_old_states_are_kept_goes_on_from_its_place(server: Firestore) -> None:
    names, now, found = fill(server, 8), 0.0, []
    declared = spec_of(server).source.firestore
    assert declared is not None
    reading = Reading(client_of(server), Query.of(declared, None), Size(2, 2**20), lambda reads: None, lambda: now)
    for answer, _ in reading.answers(None, None):
        found += [document["name"].rpartition("/")[2] for document in answer.documents]
        now += 1600
    assert found == names
    assert [query.HasField("read_time") for query in server.queries] == [False, True, False, True, False]


def test_a_document_without_the_cursor_is_found_by_a_full_read(server: Firestore) -> None:
    """An order by a field would leave out documents that have none."""
    fill(server, 2)
    server.put("orders/bare", {"number": 9})
    server.put("orders/null", {"number": 9, "changed": None})
    assert ids(read(opened(server, "changed"))) == ["bare", "null", "o000", "o001"]


@pytest.mark.parametrize(("collection", "found"), [("orders", ["1", "2"]), ("stores/7/orders", ["3"]), ("stores/a b/orders", ["4"])])
def test_nested_collections_are_read_by_their_path(server: Firestore, collection: str, found: list[str]) -> None:
    for path in ("orders/1", "orders/2", "stores/7/orders/3", "stores/a b/orders/4", "stores/7/orders/3/orders/5", "stores/7/returns/6"):
        server.put(path, {})
    assert ids(read(opened(server, collection=collection))) == found


def test_a_collection_group_is_read_at_any_depth_and_each_ancestor_is_known(server: Firestore) -> None:
    for path in ("orders/1", "stores/7/orders/2", "stores/7/orders/2/orders/3", "stores/8/orders/4"):
        server.put(path, {})
    every = read(opened(server, collection="orders", collectionGroup=True, pageSize=1))
    assert [record["__path__"] for record in every] == ["orders/1", "stores/7/orders/2", "stores/7/orders/2/orders/3", "stores/8/orders/4"]
    below = read(opened(server, collection="stores/7/orders", collectionGroup=True))
    assert [record["__ids__"] for record in below] == [["7", "2"], ["7", "2", "3"]]


def test_a_partition_stands_in_the_path_and_in_conditions(server: Firestore) -> None:
    for store in ("7", "8"):
        server.put(f"stores/{store}/orders/{store}-1", {"store": store})
        server.put(f"orders/{store}-2", {"store": store})
    stores = {"values": ["7", "8"]}
    by_path = opened(server, partitions=stores, collection="stores/{{ partition }}/orders")
    assert ids(read(by_path, partition="8")) == ["8-1"]
    where = [{"field": "store", "op": "Equal", "value": "{{partition}}"}]
    assert ids(read(opened(server, partitions=stores, where=where), partition="7")) == ["7-2"]
    with pytest.raises(PermanentError, match="the partition '8/orders/x' can't be a part of a path"):
        read(by_path, partition="8/orders/x")


def test_only_the_fields_that_are_read_are_fetched(server: Firestore) -> None:
    server.put("orders/1", {"total": {"net": 5, "gross": 6}, "note": "x" * 100, "odd name": 1, "changed": MOMENT, "lines": [{"sku": "a"}]})
    fields = [
        {"name": "id", "path": "__id__", "type": "text"},
        {"name": "net", "path": "total.net", "type": "integer"},
        {"name": "odd name", "type": "integer"},
        {"name": "first", "path": "lines[0].sku", "type": "text"},
        {"name": "several", "path": "join(',', lines[*].sku)", "type": "text"},
    ]
    (record,) = read(opened(server, "changed", fields=fields, fieldMask=True))
    wanted = {"total": {"net": 5}, "odd name": 1, "changed": "2026-03-01T12:00:00Z", "lines": [{"sku": "a"}]}
    assert {name: value for name, value in record.items() if not name.startswith("__")} == wanted
    assert sorted(segments(one.field_path) for one in server.queries[0].structured_query.select.fields) == [
        ["__name__"],
        ["changed"],
        ["lines"],
        ["odd name"],
        ["total", "net"],
    ]


def test_a_path_that_needs_the_record_as_a_whole_fetches_it(server: Firestore) -> None:
    server.put("orders/1", {"a": 1})
    fields = [{"name": "id", "path": "__id__", "type": "text"}, {"name": "whole", "path": "@", "type": "json"}]
    assert read(opened(server, fields=fields, fieldMask=True))[0]["a"] == 1
    assert not server.queries[0].structured_query.HasField("select")


def test_part_of_a_geo_point_is_no_field_to_a_mask(server: Firestore) -> None:
    from google.cloud.firestore_v1 import GeoPoint

    server.put("orders/1", {"at": GeoPoint(1.5, 0.0)})
    fields = [{"name": "id", "path": "__id__", "type": "text"}, {"name": "lat", "path": "at.latitude", "type": "float"}]
    assert read(opened(server, fields=fields, fieldMask=True))[0]["at"] == {"latitude": pytest.approx(1.5), "longitude": 0}


CONDITIONS = [
    ([{"field": "n", "op": "Equal", "value": 2}], "b"),
    ([{"field": "n", "op": "NotEqual", "value": 2}], "acd"),
    ([{"field": "n", "op": "GreaterThan", "value": 2}], "cd"),
    ([{"field": "n", "op": "LessThanOrEqual", "type": "double", "value": "2.5"}], "ab"),
    ([{"field": "n", "op": "In", "values": [1, 4]}], "ad"),
    ([{"field": "n", "op": "NotIn", "values": [1, 4]}], "bc"),
    ([{"field": "tags", "op": "ArrayContains", "value": "x"}], "ab"),
    ([{"field": "tags", "op": "ArrayContainsAny", "values": ["y", "z"]}], "bc"),
    ([{"field": "gone", "op": "IsNull"}], "a"),
    ([{"field": "gone", "op": "IsNotNull"}], "bc"),
    ([{"field": "part.ok", "op": "Equal", "type": "boolean", "value": "true"}], "c"),
    ([{"field": "at", "op": "GreaterThanOrEqual", "type": "timestamp", "value": "2026-03-01T12:00:01Z"}], "bcd"),
    ([{"field": "__name__", "op": "GreaterThan", "type": "reference", "value": "orders/b"}], "cd"),
    (
        [
            {"field": "n", "op": "GreaterThan", "value": 1},
            {"field": "at", "op": "LessThan", "type": "timestamp", "value": "2026-03-01T12:00:03Z"},
        ],
        "bc",
    ),
]


@pytest.mark.parametrize(("where", "found"), CONDITIONS)
def test_conditions_are_checked_by_firestore(server: Firestore, where: list[object], found: str) -> None:
    server.put("orders/a", {"n": 1, "tags": ["x"], "gone": None})
    server.put("orders/b", {"n": 2, "tags": ["x", "y"], "gone": "no"})
    server.put("orders/c", {"n": 3, "tags": ["z"], "gone": 0, "part": {"ok": True}})
    server.put("orders/d", {"n": 4, "part": {"ok": False}})
    for number, name in enumerate("abcd"):
        server.put(f"orders/{name}", {**_fields(server, name), "at": MOMENT + timedelta(seconds=number)})
    reads = server.reads
    assert sorted(ids(read(opened(server, where=where, pageSize=1)))) == list(found)
    assert server.reads - reads == len(found) + 1


def _fields(server: Firestore, name: str) -> dict[str, object]:
    (document,) = [one for one in server._state(server._clock) if one.name.endswith(f"/{name}")]
    return dict(document.fields)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"op": "Equal", "type": "boolean", "value": "yes"}, "n: 'yes' is not a Firestore boolean"),
        ({"op": "Equal", "type": "integer", "value": "1.5"}, "n: '1.5' is not a Firestore integer"),
        ({"op": "In", "type": "timestamp", "values": ["yesterday"]}, "n: 'yesterday' is not a Firestore timestamp"),
    ],
)
def test_a_condition_whose_value_is_not_of_its_type_is_refused(server: Firestore, condition: dict[str, object], said: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened(server, where=[{"field": "n", **condition}])
    assert caught.value.message == f"spec.source.firestore.where: {said}"
    assert not server.upstream.asked


def test_a_page_that_does_not_advance_is_an_error_not_a_loop(server: Firestore) -> None:
    fill(server, 3)
    first: list[str] = []

    def same(asked: Asked, elements: list[str]) -> Reply | None:
        first[:] = first or elements
        return Reply(("[" + ",".join(first) + "]").encode())

    server.faults.extend([same] * 9)
    with pytest.raises(PermanentError, match="ends with the document that an earlier page ended with"):
        read(opened(server, pageSize=2))
    assert len(server.queries) == 2


def test_a_cursor_of_two_types_is_refused_since_a_query_finds_one(server: Firestore) -> None:
    server.put("orders/1", {"changed": MOMENT})
    server.put("orders/2", {"changed": "2026-03-01"})
    with pytest.raises(SchemaMismatch, match="changed of the document orders/2 is a text, and a timestamp elsewhere"):
        read(opened(server, "changed"))


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cursors=st.lists(st.integers(0, 4), max_size=12),
    size=st.integers(1, 5),
    edits=st.lists(st.tuples(st.integers(0, 11), st.integers(1, 3)), max_size=6),
)
def test_random_documents_with_ties_and_late_edits_all_arrive(cursors: list[int], size: int, edits: list[tuple[int, int]]) -> None:
    with firestore() as server:
        kept: dict[str, int] = {}
        for number, cursor in enumerate(cursors):
            server.put(f"orders/{number}", {"changed": cursor})
        source, since, state = opened(server, "changed", pageSize=size), None, None
        for place, step in [(-1, 0), *edits, (-1, 0)]:
            if 0 <= place < len(cursors):
                cursors[place] = max(cursors) + step - 1
                server.put(f"orders/{place}", {"changed": cursors[place]})
            for record in read(source, since=since, state=state):
                kept[record["__id__"]] = record["changed"]
            state, since = source.state, str(max(kept.values())) if kept else None
        assert kept == {str(number): cursor for number, cursor in enumerate(cursors)}
        assert source.billed == server.reads
