"""Templates: what stands for them in path, query, headers and body, and what can't."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from syncsource.errors import StalledError, SyncError
from syncsource.resource.http import Request
from syncsource.resource.templates import parse
from syncsource.sources import Slice
from tests.upstream import Reply, in_turn

CURSOR = {"cursor": "at"}
SENT = {"cursor": "at", "param": "sent"}
PARTS = {"values": ["a"]}


@pytest.fixture
def asked(serve: Any, opened: Any) -> Any:
    """What arrives of one request."""

    def asked_(request: Any, part: Slice | None = None, **options: Any) -> Any:
        upstream = serve(in_turn(Reply([])))
        spec = {"partitions": PARTS} if "partition" in str(request) else {}
        options = {"incremental": SENT, "spec": spec, **options}
        list(opened(upstream.url, request=request, **options).pages(part or Slice()))
        return upstream.asked[0]

    return asked_


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ cursor }}", "2026-01-31T17:30:00.5+00:00"),
        ("{{cursor|date}}", "2026-01-31"),
        ("{{ cursor | date('%d/%m/%Y %H:%M') }}", "31/01/2026 17:30"),
        ("{{ cursor | epochSeconds }}", "1769880600"),
        ("{{ cursor | epochMilliseconds }}", "1769880600500"),
        ("{{ windowStart | iso8601 }}", "2026-01-31T17:30:00.5Z"),
        ("{{ windowEnd | date }}", "2026-02-02"),
        ("{{ windowEnd | epochSeconds }}", "1769965201"),
        ("{{ partition }}", "Bandung & co/1"),
        ("from {{ cursor | date }} to {{ windowEnd | default('x') }}!", "from 2026-01-31 to 2026-02-01T17:00:00.000000001Z!"),
        ("no braces { } here", "no braces { } here"),
    ],
)
def test_names_and_filters(asked: Any, template: str, text: str) -> None:
    part = Slice(since="2026-01-31T17:30:00.5+00:00", until="2026-02-01T17:00:00.000000001Z", partition="Bandung & co/1")
    found = asked({"query": {"q": template}}, part)
    assert found.query["q"] == text


@pytest.mark.parametrize(
    ("since", "sent"), [(None, {}), ("0", {"q": "0", "r": "0"}), ("", {"q": "", "r": ""}), ("false", {"q": "false", "r": "false"})]
)
def test_0_empty_and_false_as_cursors_are_sent_and_only_an_absent_one_is_not(asked: Any, since: str | None, sent: dict[str, str]) -> None:
    """traps: 0, "" and false as cursors."""
    found = asked({"query": {"q": "{{ cursor }}", "r": "{{ cursor | default('never') }}"}}, Slice(since=since), incremental=CURSOR)
    assert found.query == {"r": "never", **sent}


def test_now_is_one_instant_of_the_whole_read(serve: Any, opened: Any) -> None:
    upstream = serve(in_turn(Reply([1]), Reply([2]), Reply([])))
    list(opened(upstream.url, request={"query": {"at": "{{ now }}"}}, pagination={"page": {}}).pages(Slice()))
    assert len({asked.query["at"] for asked in upstream.asked}) == 1
    assert upstream.asked[0].query["at"].endswith("Z")


@pytest.mark.parametrize(
    ("partition", "path"),
    [("7", "/stores/7/x"), ("a/b?c#d%é", "/stores/a%2Fb%3Fc%23d%25%C3%A9/x"), ("a b", "/stores/a%20b/x"), ("...", "/stores/.../x")],
)
def test_values_in_a_path_stay_one_segment(asked: Any, partition: str, path: str) -> None:
    assert asked({"path": "/stores/{{ partition }}/x"}, Slice(partition=partition)).path == path


@pytest.mark.parametrize("partition", [".", ".."])
def test_a_value_that_would_lead_to_another_path(serve: Any, opened: Any, partition: str) -> None:
    upstream = serve(in_turn(Reply([])))
    source = opened(upstream.url, request={"path": "/stores/{{ partition }}/x"}, spec={"partitions": PARTS})
    with pytest.raises(SyncError) as caught:
        list(source.pages(Slice(partition=partition)))
    assert (caught.value.reason, upstream.asked) == ("Unsendable", [])
    assert caught.value.message == f"spec.source.http.request.path: partition is '{partition}', which would lead to another path"


def test_a_path_needs_its_values(serve: Any, opened: Any) -> None:
    source = opened(serve(in_turn(Reply([]))).url, request={"path": "/since/{{ cursor }}"}, incremental=CURSOR)
    with pytest.raises(StalledError) as caught:
        list(source.pages(Slice()))
    assert caught.value.message == ("spec.source.http.request.path: there is no value for cursor yet; write {{ cursor | default('…') }}")


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "é", "\x00", "\x7f"])
def test_headers_can_t_be_injected(serve: Any, opened: Any, value: str) -> None:
    upstream = serve(in_turn(Reply([])))
    source = opened(upstream.url, request={"headers": {"X-Store": "s {{ partition }}"}}, spec={"partitions": PARTS})
    with pytest.raises(SyncError) as caught:
        list(source.pages(Slice(partition=value)))
    assert (caught.value.reason, upstream.asked) == ("Unsendable", [])
    assert caught.value.message.startswith("spec.source.http.request.headers: X-Store can't be sent with 's")


def test_headers(asked: Any) -> None:
    found = asked({"headers": {"X-Store": "s {{ partition }}", "X-Since": "{{ cursor }}"}}, Slice(partition="7"))
    assert found.headers["x-store"] == "s 7"
    assert "x-since" not in found.headers


def test_bodies_are_filled_in_and_what_lacks_a_value_is_left_out(asked: Any) -> None:
    body = {
        "store": "{{ partition }}",
        "n": "{{ partition | integer }}",
        "range": {"gte": "{{ cursor | epochSeconds }}", "lt": "{{ windowEnd }}"},
        "only": {"end": "{{ windowEnd }}", "deep": ["{{ windowEnd }}"]},
        "after": ["{{ windowEnd }}", 1],
        "kept": [{}, [], None, 2, "x"],
    }
    found = asked({"method": "POST", "body": body}, Slice(since="2026-01-01T00:00:00Z", partition="007"))
    assert json.loads(found.body) == {"store": "007", "n": 7, "range": {"gte": 1767225600}, "after": [1], "kept": body["kept"]}


def test_a_body_holds_texts_as_they_are(asked: Any) -> None:
    found = asked({"method": "POST", "body": {"q": "a {{ partition }} b"}}, Slice(partition='"}, "admin": {"'))
    assert json.loads(found.body) == {"q": 'a "}, "admin": {" b'}


def test_an_integer_that_is_none(serve: Any, opened: Any) -> None:
    source = opened(
        serve(in_turn(Reply([]))).url, request={"method": "POST", "body": {"n": "{{ partition | integer }}"}}, spec={"partitions": PARTS}
    )
    with pytest.raises(SyncError, match="partition is '7a', not an integer"):
        list(source.pages(Slice(partition="7a")))


def test_forms(asked: Any) -> None:
    found = asked({"method": "POST", "form": {"store": "{{ partition }}", "n": 7, "since": "{{ cursor }}"}}, Slice(partition="a&b=c é"))
    assert (found.headers["content-type"], found.body) == ("application/x-www-form-urlencoded", b"store=a%26b%3Dc+%C3%A9&n=7")


NAMES = "it may be partition, cursor, windowStart, windowEnd, now or last.FIELD"
FILTERS = "it may be iso8601, date, epochSeconds, epochMilliseconds, date('%Y-%m-%d'), integer or default('…')"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ store }}", f"{{{{ store }}}}: 'store' is not a name of a template; {NAMES}"),
        ("{{ cursor.id }}", f"{{{{ cursor.id }}}}: 'cursor.id' is not a name of a template; {NAMES}"),
        ("{{ }}", f"{{{{ }}}}: '' is not a name of a template; {NAMES}"),
        ("{{ cursor | upper }}", f"{{{{ cursor | upper }}}}: 'upper' is not a filter of a template; {FILTERS}"),
        ("{{ cursor | }}", f"{{{{ cursor | }}}}: '' is not a filter of a template; {FILTERS}"),
        ("{{ cursor | default }}", f"{{{{ cursor | default }}}}: 'default' is not a filter of a template; {FILTERS}"),
        ("{{ cursor | date('%Y') }}", "'%Y' must hold year, month and day, for example %Y-%m-%d"),
        ("{{ cursor | date('%Y-%m-%d %q') }}", "'%Y-%m-%d %q': %q is not known"),
        ("a {{ cursor", "'a {{ cursor': a {{ is not closed by }}"),
    ],
)
def test_what_is_no_template_is_refused_with_the_name_and_the_list(text: str, message: str) -> None:
    for request in ({"path": text}, {"query": {"q": text}}, {"headers": {"X": text}}, {"method": "POST", "body": {"a": [{"b": text}]}}):
        with pytest.raises(ValidationError) as caught:
            Request.model_validate(request)
        assert message in str(caught.value)


def test_a_pipe_in_quotes_divides_nothing() -> None:
    (placeholder,) = parse("{{ cursor | default('a|b') }}").placeholders
    assert placeholder.default == "a|b"


@pytest.mark.parametrize(
    ("incremental", "query"),
    [
        ({"format": "date", "timeZone": "Asia/Jakarta"}, {"since": "2026-02-01", "until": "2026-02-02"}),
        ({"format": "epochMilliseconds"}, {"since": "1769880600500", "until": "1769965200000"}),
        ({"format": "%Y%m%dT%H%M%S", "timeZone": "Asia/Jakarta"}, {"since": "20260201T003000", "until": "20260202T000000"}),
        ({}, {"since": "2026-01-31T17:30:00.5Z", "until": "2026-02-01T17:00:00Z"}),
    ],
)
def test_separate_zones_for_request_and_record(asked: Any, incremental: Any, query: dict[str, str]) -> None:
    """traps: precision or zone lost in the cursor. The ledger keeps the source's text; what is sent is rounded down, the end up."""
    window = {"size": "1d", "start": "2020-01-01"}
    part = Slice(since="2026-01-31T17:30:00.5Z", until="2026-02-01T17:00:00Z")
    found = asked({}, part, incremental={"cursor": "at", "param": "since", "endParam": "until", "window": window, **incremental})
    assert found.query == query


def test_a_cursor_without_a_zone_is_in_that_of_its_field(asked: Any) -> None:
    fields = [{"name": "id", "type": "text"}, {"name": "at", "type": "timestamp", "timeZone": "Asia/Jakarta"}]
    incremental = {"cursor": "at", "param": "since", "format": "iso8601"}
    found = asked({}, Slice(since="2026-02-01 00:30:00"), incremental=incremental, spec={"fields": fields})
    assert found.query == {"since": "2026-01-31T17:30:00Z"}


def test_a_format_for_a_cursor_that_is_no_instant(serve: Any, opened: Any) -> None:
    source = opened(serve(in_turn(Reply([]))).url, incremental={"cursor": "at", "param": "since", "format": "date"})
    with pytest.raises(StalledError) as caught:
        list(source.pages(Slice(since="42")))
    assert caught.value.message == "spec.incremental: the cursor '42' is not an instant; choose another format, or none"
