"""What a read costs: each document read is billed, so an unchanged collection costs one query."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from syncsource.errors import RetryableError, SchemaMismatch, StalledError
from syncsource.sources import Slice
from tests.firestore.reading import ids, opened, read
from tests.firestore.server import Firestore, array, error, firestore, refusal
from tests.upstream import Asked, Reply

MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LAST = "2026-03-01T12:00:09Z"


@pytest.fixture
def server() -> Iterator[Firestore]:
    with firestore() as server:
        for number in range(10):
            server.put(f"orders/{number}", {"changed": MOMENT + timedelta(seconds=number)})
        yield server


def test_an_unchanged_collection_costs_one_query_per_run(server: Firestore) -> None:
    source = opened(server, "changed")
    read(source)
    assert (len(server.queries), server.reads) == (1, 10)
    for run in range(1, 4):
        assert len(read(source, since=LAST, state=source.state)) == (1 if run == 1 else 0)
        assert source.unchanged == (run > 1)
        assert (len(server.queries), server.reads, source.billed) == (1 + run, 10 + run, 10 + run)


def test_what_changed_is_read_and_nothing_else(server: Firestore) -> None:
    source = opened(server, "changed")
    read(source)
    server.put("orders/3", {"changed": MOMENT + timedelta(hours=1)})
    assert ids(read(source, since=LAST, state=source.state)) == ["9", "3"]
    assert not source.unchanged
    assert server.reads == 12


def test_a_changed_tie_is_no_unchanged_collection(server: Firestore) -> None:
    """The update time counts, not the cursor alone."""
    source = opened(server, "changed")
    read(source)
    read(source, since=LAST, state=source.state)
    server.put("orders/9", {"changed": MOMENT + timedelta(seconds=9), "note": "new"})
    assert [record["note"] for record in read(source, since=LAST, state=source.state)] == ["new"]


def test_a_read_from_elsewhere_is_never_unchanged(server: Firestore) -> None:
    """The digest is of one place: lookback, a window or no state at all begin anew."""
    source = opened(server, "changed")
    read(source)
    read(source, since=LAST, state=source.state)
    assert len(read(source, since="2026-03-01T12:00:08Z", state=source.state)) == 2
    assert len(read(source)) == 10
    assert len(read(source)) == 10


def test_a_whole_collection_on_one_page_may_be_unchanged(server: Firestore) -> None:
    source = opened(server)
    read(source)
    assert read(source, state=source.state) == []
    assert source.unchanged
    server.delete("orders/5")
    assert len(read(source, state=source.state)) == 9


def test_documents_without_an_update_time_are_never_taken_for_unchanged(server: Firestore) -> None:
    def bare(asked: Asked, elements: list[str]) -> Reply:
        documents = [json.loads(element) for element in elements]
        for element in documents:
            del element["document"]["updateTime"]
        return Reply(documents)

    server.faults.extend([bare, bare])
    source = opened(server)
    assert len(read(source)) == len(read(source, state=source.state)) == 10


def test_pages_beyond_the_first_are_never_taken_for_unchanged(server: Firestore) -> None:
    source = opened(server, pageSize=4)
    read(source)
    assert len(read(source, state=source.state)) == 10


def test_an_instant_keeps_its_type_in_the_state(server: Firestore) -> None:
    """A timestamp and a text look alike in a cursor, and a query finds one of them."""
    source = opened(server, "changed")
    read(source)
    read(source, since=LAST, state=source.state)
    (value,) = server.queries[-1].structured_query.start_at.values
    assert value.WhichOneof("value_type") == "timestamp_value"


def test_the_type_of_the_cursor_is_asked_for_where_nobody_remembers_it(server: Firestore) -> None:
    assert ids(read(opened(server, "changed"), since=LAST)) == ["9"]
    assert [one.structured_query.limit.value for one in server.queries] == [1, 300]
    assert ids(read(opened(server, "changed"), since=LAST, state="from another version")) == ["9"]


@pytest.mark.parametrize(
    ("values", "since", "found", "kind"),
    [
        (["a", "b", "c"], "b", ["1", "2"], "string_value"),
        ([1, 2, 3], "2", ["1", "2"], "integer_value"),
        ([1.5, 2.5, 3], "2.5", ["1", "2"], "double_value"),
        ([0, 0, 1], "0", ["0", "1", "2"], "integer_value"),
        (["", "", "a"], "", ["0", "1", "2"], "string_value"),
    ],
)
def test_zero_and_empty_texts_are_cursors(values: list[object], since: str, found: list[str], kind: str) -> None:
    """0, "" and false as cursors: absence is what counts, not truth."""
    with firestore() as server:
        for number, value in enumerate(values):
            server.put(f"orders/{number}", {"changed": value})
        source = opened(server, "changed")
        read(source)
        assert ids(read(source, since=since, state=source.state)) == found
        (start,) = server.queries[-1].structured_query.start_at.values
        assert start.WhichOneof("value_type") == kind


def test_a_window_has_an_end(server: Firestore) -> None:
    """Its end is the beginning of the next one."""
    source = opened(server, "changed")
    part = Slice(since="2026-03-01T12:00:02Z", until="2026-03-01T12:00:05Z")
    assert [record["__id__"] for page in source.pages(part) for record in page.records] == ["2", "3", "4"]
    assert ids(read(source, until="2026-03-01T12:00:01Z")) == ["0"]


def test_the_type_of_the_cursor_is_asked_for_once_in_all_windows(server: Firestore) -> None:
    source = opened(server, "changed")
    for second in range(0, 9, 3):
        assert len(read(source, since=f"2026-03-01T12:00:0{second}Z", until=f"2026-03-01T12:00:0{second + 3}Z")) == 3
    assert [query.structured_query.limit.value for query in server.queries] == [1, 300, 300, 300]


@pytest.mark.parametrize("since", ["2026-03-01", "2026-03-01 12:00:00", "2026-03-01T12:00:00", "2026-03-01T14:00:00+02:00"])
def test_the_beginning_of_a_history_may_be_written_in_any_form(server: Firestore, since: str) -> None:
    assert len(read(opened(server, "changed"), since=since)) == 10


def test_documents_before_an_error_in_the_stream_are_billed(server: Firestore) -> None:
    server.faults.append(lambda asked, elements: Reply(array([*elements[:4], error(503, "UNAVAILABLE", "try again")])))
    source = opened(server, retry={"attempts": 2, "backoff": "1ms"})
    assert len(read(source)) == 10
    assert source.billed == 14


def test_a_read_that_fails_leaves_the_state_as_it_was(server: Firestore) -> None:
    """A cursor moved before the window was complete: a failed page leaves everything where it was."""
    source = opened(server, "changed", pageSize=4)
    read(source)
    state = source.state
    server.faults.extend([None, lambda asked, elements: refusal(503, "UNAVAILABLE", "later")])
    with pytest.raises(RetryableError):
        read(source)
    assert (source.state, source.unchanged) == (None, False)
    server.faults.append(lambda asked, elements: refusal(503, "UNAVAILABLE", "later"))
    with pytest.raises(RetryableError):
        read(source, since=LAST, state=state)
    assert (source.state, source.unchanged) == (state, False)


def test_a_cursor_of_nanoseconds_goes_back_digit_for_digit(server: Firestore) -> None:
    """Precision or zone lost in the cursor: the source's own text is kept."""
    source = opened(server, "changed")
    read(source)
    read(source, since="2026-03-01T12:00:09.123456789Z", state=source.state)
    (start,) = server.queries[-1].structured_query.start_at.values
    assert start.timestamp_value.nanos == 123_456_789


@pytest.mark.parametrize("cursor", ["updateTime", "createTime"])
def test_a_documents_own_update_time_is_no_field(server: Firestore, cursor: str) -> None:
    with pytest.raises(SchemaMismatch) as caught:
        read(opened(server, cursor))
    assert caught.value.message == (
        f"spec.incremental.cursor: none of the 10 documents of shop-1/(default): orders has the field {cursor}; if that was to be a document's own "
        "update time, which Firestore can't query by: have each write set a field with serverTimestamp(), such as updatedAt, and name that one"
    )


def test_a_field_that_is_named_update_time_is_one(server: Firestore) -> None:
    server.put("orders/0", {"updateTime": MOMENT})
    assert len(read(opened(server, "updateTime"))) == 10


@pytest.mark.parametrize(
    ("cursor", "said"),
    [
        ("__updateTime__", "'__updateTime__' is a document's own update time, which Firestore can't query by: have each write set a field"),
        ("max([a, b])", "'max([a, b])' must be a field's path, such as updatedAt or meta.updatedAt"),
        ("history[-1].at", "'history[-1].at' must be a field's path"),
    ],
)
def test_a_cursor_that_no_query_can_be_ordered_by_is_refused(server: Firestore, cursor: str, said: str) -> None:
    with pytest.raises(StalledError) as caught:
        opened(server, cursor)
    assert caught.value.message.startswith(f"spec.incremental.cursor: {said}")
    assert not server.upstream.asked
