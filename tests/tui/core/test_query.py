"""The filter's grammar."""

from __future__ import annotations

import pytest

from syncsource_tui.core.query import QueryError, parse
from syncsource_tui.core.row import Row, project
from tests.tui.stage import failed, ready


def row(name: str, namespace: str, status: dict[str, object], labels: dict[str, str] | None = None) -> Row:
    spec = {"source": {"http": {"baseURL": "https://api.example/v1"}}, "destination": {"sql": {"table": "leads"}}}
    found = project(
        {"metadata": {"uid": name, "name": name, "namespace": namespace, "labels": labels or {}}, "spec": spec, "status": status}
    )
    assert found is not None
    return found


ROWS = [
    row("orders-eu", "team-1", ready(), {"app": "shop", "tier": "1"}),
    row("orders-us", "team-2", failed(message="no route to host"), {"app": "shop"}),
    row("Crm", "team-20", failed("AuthFailed", "401 a:b")),
]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", "orders-eu orders-us Crm"),
        ("ORDERS", "orders-eu orders-us"),
        ("orders eu", "orders-eu"),
        ("!orders", "Crm"),
        ("ns:^team-2$", "orders-us"),
        ("!ns:^team-2", "orders-eu"),
        ("namespace:team status:fail", "orders-us Crm"),
        ("status:^ready$", "orders-eu"),
        ('message:"no route"', "orders-us"),
        ("message:40[13]", "Crm"),
        ("label:app", "orders-eu orders-us"),
        ("label:app=shop label:tier=1", "orders-eu"),
        ("!label:app", "Crm"),
        ("label:app=sho", ""),
        ("table:leads source:api\\.example", "orders-eu orders-us Crm"),
        ("https://api", "orders-eu orders-us Crm"),
        ("a:b", "Crm"),
        ("schedule:15m", "orders-eu orders-us Crm"),
        ("!", ""),
        ("'team-1'", "orders-eu"),
    ],
)
def test_terms(text: str, names: str) -> None:
    query = parse(text)
    assert " ".join(found.name for found in ROWS if query.matches(found)) == names


@pytest.mark.parametrize(
    ("text", "why"), [("name:(", "not a regular expression"), ('message:"no', "a quote is open"), ("label:", "label: needs a name")]
)
def test_what_can_not_be_read_says_why(text: str, why: str) -> None:
    with pytest.raises(QueryError, match=why):
        parse(text)
