"""What ``spec.source.firestore`` accepts and refuses, as an API server does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from syncsource.resource.validation import problems

AUTH = {"serviceAccount": {"secretRef": {"name": "google"}}}


def manifest(incremental: str | None = None, **source: Any) -> dict[str, Any]:
    """A SyncSource of a collection; None takes a field away."""
    declared = {"project": "shop-1", "collection": "orders", "auth": AUTH, **source}
    return {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncSource",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "source": {"firestore": {name: value for name, value in declared.items() if value is not None}},
            "fields": [{"name": "id", "path": "__id__", "type": "text"}],
            "keys": [{"fields": ["id"]}],
            "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "orders"}},
            **({"incremental": {"cursor": incremental}} if incremental else {}),
        },
    }


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"auth": None, "endpoint": "http://localhost:8080"},
        {"database": "archive", "collection": "stores/7/orders", "collectionGroup": True},
        {"project": "example.com:shop", "collection": "stores/7/orders"},
        {"where": [{"field": "status", "op": "In", "values": ["open", "paid"]}, {"field": 'a."b c"', "op": "IsNotNull"}]},
        {"where": [{"field": "n", "op": "Equal", "value": 5}], "pageSize": 10_000, "references": "Id", "fieldMask": False},
        {"rateLimit": {"requests": 2, "per": "1s"}, "retry": {"attempts": 3}, "timeout": "2m"},
    ],
)
def test_what_is_accepted(source: dict[str, Any]) -> None:
    assert problems(manifest("meta.updatedAt", **source)) == []


def test_the_example_in_the_docs_is_accepted() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "firestore.md").read_text()
    whole = manifest()
    whole["spec"] |= yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    assert problems(whole) == []


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"auth": None}, "auth is needed, unless endpoint names an emulator"),
        ({"collection": "stores/7"}, "collection"),
        ({"collection": "/orders"}, "collection"),
        ({"collection": "stores/../orders"}, "must not hold . or .. as a segment"),
        ({"project": "shop/../other"}, "project"),
        ({"database": "a/b"}, "database"),
        ({"endpoint": "https://user:password@host"}, "endpoint"),
        ({"endpoint": "https://host/v1"}, "endpoint"),
        ({"pageSize": 0}, "pageSize"),
        ({"where": [{"field": "a", "op": "In", "value": "x"}]}, "values is for In, NotIn and ArrayContainsAny, which need it"),
        ({"where": [{"field": "a", "op": "Equal", "values": ["x"]}]}, "values is for In, NotIn and ArrayContainsAny, which need it"),
        ({"where": [{"field": "a", "op": "Equal"}]}, "value is needed by every op but"),
        ({"where": [{"field": "a", "op": "IsNull", "value": "x"}]}, "value is needed by every op but"),
        ({"where": [{"field": "a[0]", "op": "IsNull"}]}, "field"),
        ({"where": [{"field": "a", "op": "=="}]}, "op"),
        ({"orderBy": "a"}, "orderBy"),
    ],
)
def test_what_is_refused(source: dict[str, Any], said: str) -> None:
    assert any(said in problem for problem in map(str, problems(manifest(**source))))


@pytest.mark.parametrize(
    ("cursor", "said"),
    [
        ("__updateTime__", "Firestore can't be queried by what it knows of a document, such as its own update time"),
        ("history[-1].at", "source.firestore needs a cursor that is the path of a field"),
        ("max(history)", "source.firestore needs a cursor that is the path of a field"),
    ],
)
def test_a_cursor_that_no_query_can_go_by_is_refused(cursor: str, said: str) -> None:
    assert any(said in problem for problem in map(str, problems(manifest(cursor))))
