"""What a spec says of partitions and cursors must reach its source, and what its source is to be told must be there."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from syncsource.errors import StalledError
from syncsource.resource.spec import SyncSourceSpec
from syncsource.resource.syncsource import parse
from syncsource.resource.validation import problems
from syncsource.sources.hosts import local_hosts
from syncsource.sources.opening import open_source

DATABASE = {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}
STORES = {"partitions": {"values": ["1", "2"]}}
CURSOR = {"cursor": "modified"}
WINDOW = {"size": "1h", "start": "2024-03-01"}


def manifest(source: Any, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "metadata": {"name": "orders", "namespace": "default"},
        "spec": {"source": source, "keys": [{"fields": ["id"]}], "destination": {"sql": {**DATABASE, "table": "orders"}}, **spec},
    }


def http(**request: Any) -> dict[str, Any]:
    return {"http": {"baseURL": "https://api.example", "request": request}}


def firestore(**collection: Any) -> dict[str, Any]:
    return {"firestore": {"project": "shop", "collection": "orders", "endpoint": "http://127.0.0.1:8080", **collection}}


def sql(**read: Any) -> dict[str, Any]:
    return {"sql": {**DATABASE, **read}}


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (http(path="/{{ partition }}"), {}, "spec.source.http.request: {{ partition }} needs spec.partitions"),
    (http(query={"since": "{{ windowEnd }}"}), {}, "spec.source.http.request: {{ cursor }} needs spec.incremental"),
    (
        http(query={"after": "{{ last.id }}"}),
        {},
        "spec.source.http.request: {{ last.id }} needs a field of pagination.keyset with this path",
    ),
    (http(), STORES, "spec.partitions: every partition would read the same; write {{ partition }} into spec.source.http.request"),
    (
        http(method="POST", body={}),
        {"incremental": CURSOR},
        "spec.incremental: the cursor is never sent; set param, or write {{ cursor }} into spec.source.http.request",
    ),
    (
        http(),
        {"incremental": {**CURSOR, "param": "since", "window": WINDOW}},
        "spec.incremental.window: its end is never sent, so that each window would read all that follows; set endParam, or write "
        "{{ windowEnd }} into spec.source.http.request",
    ),
    (firestore(collection="stores/{{ partition }}/orders"), {}, "spec.source.firestore: {{ partition }} needs spec.partitions"),
    (
        firestore(),
        STORES,
        "spec.source.firestore: every partition would read the same documents: write {{ partition }} into collection or a condition of where",
    ),
    (
        sql(table="orders", where="store = {partition}"),
        {},
        "spec.source.sql.where: {partition} needs spec.partitions: set it, or remove the condition",
    ),
    (
        sql(query="SELECT 1"),
        STORES,
        "spec.source.sql.query: every partition would read the same rows: add a condition such as store = {partition}",
    ),
]


@pytest.mark.parametrize(("source", "spec", "said"), REFUSED)
def test_what_does_not_reach_the_source_or_is_not_there(source: Any, spec: Any, said: str) -> None:
    asked = manifest(source, **spec)
    assert list(map(str, problems(asked))) == [said]
    with pytest.raises(StalledError) as parsed:
        parse(asked)
    with pytest.raises(StalledError) as opened:
        open_source(SyncSourceSpec.model_validate(asked["spec"]), {}, hosts=local_hosts(threading.Event()), cancelled=threading.Event())
    assert [(caught.value.reason, caught.value.message) for caught in (parsed, opened)] == [("InvalidSpec", said)] * 2


@pytest.mark.parametrize(
    ("source", "spec"),
    [
        (http(path="/stores/{{ partition }}/orders", query={"since": "{{ cursor }}"}), {**STORES, "incremental": CURSOR}),
        (http(), {"incremental": {**CURSOR, "param": "since", "endParam": "before", "window": WINDOW}}),
        (
            http(query={"since": "{{ windowStart }}", "before": "{{ windowEnd }}"}),
            {"incremental": {**CURSOR, "window": WINDOW}},
        ),
        (firestore(where=[{"field": "store", "op": "In", "values": ["{{partition}}"]}]), STORES),
        (firestore(where=[{"field": "note", "op": "Equal", "value": "{{ store }}"}]), {}),
        (sql(query="SELECT * FROM orders WHERE store = {partition}"), STORES),
        (sql(table="orders"), {"incremental": CURSOR}),
        ({"csv": {"path": "orders.csv"}}, {}),
    ],
)
def test_what_goes_together(source: Any, spec: Any) -> None:
    assert problems(manifest(source, **spec)) == []
