"""What is taken from a body: failures in its words, single objects, members named twice, records that are too long, lies about length."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from syncsource.records.batch import Broken
from tests.upstream import Reply, in_turn


@pytest.mark.parametrize(
    ("rule", "body", "end"),
    [
        (
            {"when": "error", "message": "error.text"},
            {"error": {"text": "no such\x1b store"}},
            "error holds in its body (spec.source.http.failIf[0]): no such store",
        ),
        (
            {"when": "status == 'error'", "message": "code"},
            {"status": "error", "code": 17},
            "status == 'error' holds in its body (spec.source.http.failIf[0]): 17",
        ),
        ({"when": "!ok"}, {"ok": False}, "!ok holds in its body (spec.source.http.failIf[0])"),
        ({"when": "code"}, {"code": 0}, "code holds in its body (spec.source.http.failIf[0])"),
    ],
)
def test_a_failure_with_a_status_of_success(failing: Any, rule: Any, body: Any, end: str) -> None:
    assert failing(in_turn(Reply({"data": [], **body})), records="data", failIf=[rule]) == (
        "PermanentError",
        "AnswerFailed",
        f"GET URL/x answered 200, but {end}",
    )


@pytest.mark.parametrize("error", [None, False, "", [], {}])
def test_what_is_false_null_or_empty_is_no_failure(serve: Any, read: Any, error: Any) -> None:
    assert read(serve(in_turn(Reply({"data": [1], "error": error}))).url, records="data", failIf=[{"when": "error"}]) == [1]


def test_a_failure_that_may_pass_is_tried_again(serve: Any, read: Any) -> None:
    upstream = serve(in_turn(Reply({"data": [], "busy": True}), Reply({"data": [1]})))
    retry = {"attempts": 2, "backoff": "1ms"}
    assert read(upstream.url, records="data", failIf=[{"when": "busy", "retry": True}], retry=retry) == [1]


def test_the_second_rule_counts_too_and_secrets_stay_hidden(failing: Any) -> None:
    rules = [{"when": "never"}, {"when": "error", "message": "error", "retry": True}]
    kind, reason, message = failing(
        in_turn(Reply({"error": "bad key t0ps3cret"})),
        failIf=rules,
        auth={"bearer": {"secretRef": {"name": "api"}}},
        secrets={"api": {"token": "t0ps3cret"}},
    )
    assert (kind, reason) == ("RetryableError", "AnswerFailed")
    assert "failIf[1]): bad key ***; gave up" in message


@pytest.mark.parametrize(
    ("path", "body", "records"),
    [
        ("@", {"id": 1}, [{"id": 1}]),
        ("data", {"data": {"id": 1}}, [{"id": 1}]),
        ("values(@)", {"a": {"id": 1}, "b": {"id": 2}}, [{"id": 1}, {"id": 2}]),
        ("values(data)", {"data": {}}, []),
        ("[]", [[{"id": 1}], [{"id": 2}]], [{"id": 1}, {"id": 2}]),
    ],
)
def test_single_objects_and_dictionaries_of_records(serve: Any, read: Any, path: str, body: Any, records: Any) -> None:
    assert read(serve(in_turn(Reply(body))).url, records=path) == records


def test_an_object_is_no_page(failing: Any) -> None:
    kind, reason, _ = failing(in_turn(Reply({"data": {"id": 1}})), records="data", pagination={"page": {}})
    assert (kind, reason) == ("SchemaMismatch", "RecordsNotFound")


TWICE = [
    b'{"data": [{"id": 1}, {"id": 2, "id": 3}, {"id": 4}]}',
    b'{"data": [{"id": 1}, {"id": 3, "a": [{"x": 1, "x": 2}]}, {"id": 4}]}',
    b'{"data" : [{"id" : 1}, {"id" : 2, "id" : 3}, {"id" : 4}]}',
    b'{"data": [{"id": 1}, {"id": 3, "\\u0061": 1, "a": 2}, {"id": 4}]}',
    b'{"data": [{"id": 1, "n": "\\": x \\":"}, {"id": 2, "id": 3}, {"id": 4}]}',
]


@pytest.mark.parametrize("body", TWICE, ids=["flat", "nested", "spaced", "escaped", "quotes"])
def test_a_record_that_names_a_member_twice_is_set_aside(serve: Any, read: Any, body: bytes) -> None:
    found = read(serve(in_turn(Reply(body))).url, records="data")
    assert [found[0]["id"], found[2]["id"]] == [1, 4]
    assert isinstance(found[1], Broken)
    assert (found[1].reason, found[1].record["id"]) == ("DuplicateKeys", 3)


@pytest.mark.parametrize("body", [b'{"data": [1], "data": [2]}', b'{"data": [1], "meta": {"n": 1, "n": 2}}'])
def test_a_member_named_twice_outside_the_records(failing: Any, body: bytes) -> None:
    assert failing(in_turn(Reply(body)), records="data") == (
        "PermanentError",
        "DuplicateKeys",
        "GET URL/x: an object in the body, outside the records, names a member twice",
    )


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": {"b": 1}}, {"a": null}, {"c": [{"d": 1}, {}]}, {}, 1, null, "x"]',
        b'[{"t": "12:30:00", "u": "\\":"}]',
        b'[{"a" : "b:c"}]',
        b"[]",
    ],
)
def test_what_names_nothing_twice(serve: Any, read: Any, body: bytes) -> None:
    assert not any(isinstance(record, Broken) for record in read(serve(in_turn(Reply(body))).url))


def test_a_record_that_is_too_long_is_set_aside_with_its_beginning(serve: Any, read: Any) -> None:
    rows = [{"id": 1}, {"id": 2, "x": "é" * 2000}, {"id": 3}]
    found = read(serve(in_turn(Reply(rows))).url, maxRecordBytes=1000)
    assert (found[0], found[2]) == (rows[0], rows[2])
    assert (found[1].reason, found[1].message) == (
        "RecordTooLarge",
        "the record has 4015 bytes, more than spec.source.http.maxRecordBytes, 1000",
    )
    assert (len(found[1].record), found[1].record[:14]) == (1000, '{"id":2,"x":"é')


def test_a_long_page_of_short_records_is_taken(serve: Any, read: Any) -> None:
    rows = [{"id": number} for number in range(500)]
    assert read(serve(in_turn(Reply(rows))).url, maxRecordBytes=256) == rows


@pytest.mark.parametrize(
    ("body", "cause"),
    [
        (b'[{"a": "x\xff"}]', "invalid UTF-8 (byte 9)"),
        (b"[" * 5000, "it is nested too deeply"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, "it is nested too deeply"),
        (b"[Infinity]", "JSON is malformed: invalid character (byte 1)"),
    ],
)
def test_the_place_of_what_is_no_json_is_told(failing: Any, body: bytes, cause: str | None) -> None:
    for framed in (True, False):
        kind, reason, message = failing(in_turn(Reply(body, framed=framed)))
        assert (kind, reason) == ("PermanentError", "NotJSON")
        assert cause is None or f"which is not JSON ({cause})" in message


def test_a_body_longer_than_it_says_is_cut_and_no_json(failing: Any) -> None:
    kind, reason, message = failing(in_turn(Reply(b'[{"id": 1}, {"id": 2}]', length=10)))
    assert (kind, reason) == ("PermanentError", "NotJSON")
    assert "the JSON ends too early" in message


def test_half_of_a_surrogate_pair_sets_its_record_aside(serve: Any, read: Any) -> None:
    body = b'[{"id": 1, "x": "\\ufffd?"}, {"id": 2.50, "x": ["a\\uD83D"]}, {"id": 3, "x": "\\\\ud800 \\ud83d\\ude00"}, {"\\udc00": 4}]'
    found = read(serve(in_turn(Reply(body))).url)
    assert (found[0], found[2]) == ({"id": 1, "x": "\ufffd?"}, {"id": 3, "x": "\\ud800 😀"})
    assert [one.reason for one in (found[1], found[3])] == ["TornText"] * 2
    assert found[1].record == {"id": Decimal("2.50"), "x": ["a\ufffd"]}


@pytest.mark.parametrize("body", [b'{"data": [{"id": "\\ud800"}], "next": "\\udc00"}', b'["\\ud800\\u0041"', b'["\\ud800", NaN]'])
def test_half_of_a_surrogate_pair_elsewhere_is_no_json(failing: Any, body: bytes) -> None:
    assert failing(in_turn(Reply(body)), records="data")[:2] == ("PermanentError", "NotJSON")
