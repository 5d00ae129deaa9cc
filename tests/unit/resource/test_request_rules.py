"""What the schema refuses of requests and pages of ``source.http``, with the field and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource.resource.validation import problems

HTTP = "spec.source.http"
NAMES = "{{ }} takes partition, cursor, windowStart, windowEnd, now or last.FIELD, and after | one of iso8601, date, epochSeconds, epochMilliseconds"
KEYSET = {"fields": [{"path": "at", "param": "since"}]}


def manifest(http: Any, **spec: Any) -> dict[str, Any]:
    database = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}
    return {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "metadata": {"name": "a", "namespace": "default"},
        "spec": {
            "source": {"http": {"baseURL": "https://api.example", **http}},
            "fields": [{"name": "id", "type": "text"}],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": database},
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("http", "message"),
    [
        ({"request": {"path": "/{{ store }}"}}, f'{HTTP}.request.path: Invalid value: "/{{{{ store }}}}": {NAMES}'),
        (
            {"request": {"query": {"q": "{{ cursor | upper }}"}}},
            f'{HTTP}.request.query[q]: Invalid value: "{{{{ cursor | upper }}}}": {NAMES}',
        ),
        ({"request": {"headers": {"X": "{{ now"}}}, f'{HTTP}.request.headers[X]: Invalid value: "{{{{ now": {NAMES}'),
        ({"request": {"method": "POST", "body": {"a": ["{{ x }}"]}}}, f"{HTTP}.request.body: {{{{ x }}}}: 'x' is not a name of a template"),
        ({"request": {"form": {"a": 1}}}, f"{HTTP}.request: Invalid value: form needs method POST"),
        (
            {"request": {"method": "POST", "form": {}, "body": {}}},
            f"{HTTP}.request: Invalid value: at most one of body and form may be set",
        ),
        ({"pagination": {"page": {"sendIn": "Body"}}}, f"{HTTP}: Invalid value: pagination with sendIn Body needs request.method POST"),
        ({"pagination": {"page": {"sendIn": "Path"}}}, f'{HTTP}.pagination.page.sendIn: Unsupported value: "Path"'),
        ({"pagination": {"page": {"size": 5}}}, f"{HTTP}.pagination.page: Invalid value: size and sizeParam must be set together"),
        (
            {"pagination": {"cursor": {"path": "a", "header": "b"}}},
            f"{HTTP}.pagination.cursor: Invalid value: at most one of path and header",
        ),
        ({"pagination": {"link": {"rel": "a b"}}}, f"{HTTP}.pagination.link.rel: Invalid value"),
        (
            {"pagination": {"offset": {"limit": 1, "overlap": 1}}},
            f"{HTTP}.pagination.offset: Invalid value: overlap must be less than limit",
        ),
        ({"pagination": {"keyset": KEYSET}}, f"{HTTP}.pagination.keyset: Invalid value: a single field needs size or offsetParam"),
        ({"pagination": {"link": {}, "stop": {"shortPage": True}}}, f"{HTTP}.pagination: Invalid value: stop.shortPage needs a size"),
        (
            {"pagination": {"link": {}, "stop": {"more": {"path": "a", "header": "b"}}}},
            f"{HTTP}.pagination.stop.more: Invalid value: exactly one of path and header must be set",
        ),
        ({"pagination": {"link": {}, "maxPages": 0}}, f"{HTTP}.pagination.maxPages: Invalid value: 0"),
        ({"format": "NDJSON", "records": "data"}, f"{HTTP}: Invalid value: records is not for format NDJSON"),
        ({"failIf": [{"when": "a["}]}, f"{HTTP}.failIf[0].when: 'a[' is not a JMESPath expression"),
        ({"maxRecordBytes": 1}, f"{HTTP}.maxRecordBytes: Invalid value: 1"),
    ],
)
def test_what_is_wrong_is_named(http: Any, message: str) -> None:
    found = [str(problem) for problem in problems(manifest(http))]
    assert any(text.startswith(message) for text in found), found


@pytest.mark.parametrize(
    ("incremental", "message"),
    [
        (
            {"cursor": "at"},
            "spec.incremental: Invalid value: param is needed to send the cursor to source.http, or a template {{ cursor }}",
        ),
        ({"cursor": "at", "param": "s", "timeZone": "UTC"}, "spec.incremental: Invalid value: timeZone needs format"),
        ({"cursor": "at", "param": "s", "endParam": "e"}, "spec.incremental: Invalid value: endParam needs window"),
        ({"cursor": "at", "param": "s", "format": "iso"}, "spec.incremental.format: "),
        ({"cursor": "at", "param": "s", "format": "%H:%M"}, "spec.incremental.format: '%H:%M' must hold year, month and day"),
    ],
)
def test_what_is_wrong_with_an_increment(incremental: Any, message: str) -> None:
    found = [str(problem) for problem in problems(manifest({}, incremental=incremental))]
    assert any(text.startswith(message) for text in found), found


@pytest.mark.parametrize(
    "http",
    [
        {"request": {"path": "/{{now|default('a|b')}}/{x}", "query": {"q": "{{ now | date('%Y-%m-%d') }}", "n": 7}}},
        {"request": {"method": "POST", "body": {"a": ["{{ last.at | integer }}"]}}, "pagination": {"keyset": {**KEYSET, "size": 5}}},
        {"pagination": {"cursor": {"header": "X-Next", "sizeParam": "n", "size": 5}, "stop": {"shortPage": True, "last": {"path": "a"}}}},
        {
            "request": {"method": "POST", "form": {"a": "{{ now | epochSeconds }}"}},
            "pagination": {"offset": {"sendIn": "Body", "overlap": 1}},
        },
        {"format": "NDJSON", "failIf": [{"when": "status == 'error'", "message": "m", "retry": True}], "maxPageBytes": 1024},
    ],
)
def test_what_is_taken(http: Any) -> None:
    assert problems(manifest(http)) == []
