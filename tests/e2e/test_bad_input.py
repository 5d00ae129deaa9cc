"""Whatever can be wrong outside: told in a condition and an Event, nothing half-written, recovered from without help."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.bad_cases import CASES, COUNT, DATABASE_PASSWORD, SECRETS, Case, Spare, Stage, without_key
from tests.e2e.cluster import Cluster, Refused, failed, history, ready, secret, steady, told
from tests.e2e.databases import Warehouse
from tests.e2e.product import Product
from tests.e2e.scene import counts, did


@pytest.fixture(scope="module")
def stage(cluster: Cluster, api: Api, postgresql: Warehouse, postgresql_uri: str) -> Iterator[Stage]:
    """Every case on it, and under way."""
    with Spare.prepared() as spare, reader(postgresql):
        stage = Stage(cluster, api, postgresql, spare, postgresql_uri.rpartition("host=")[2])
        for case in CASES:
            case.apply(stage)
        yield stage


@contextmanager
def reader(warehouse: Warehouse) -> Iterator[None]:
    """A user of the server whom it asks for a password."""
    file = Path(warehouse.sql("SHOW hba_file")[0][0])
    before = file.read_text()
    file.write_text(f"local all reader scram-sha-256\n{before}")
    schema = warehouse.sql("SELECT current_schema()")[0][0]
    for statement in (
        f"CREATE ROLE reader LOGIN PASSWORD '{DATABASE_PASSWORD}'",
        f"GRANT ALL ON SCHEMA {schema} TO reader",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT ALL ON TABLES TO reader",
        "SELECT pg_reload_conf()",
    ):
        warehouse.sql(statement)
    yield
    file.write_text(before)
    for statement in ("DROP OWNED BY reader CASCADE", "DROP ROLE reader", "SELECT pg_reload_conf()"):
        warehouse.sql(statement)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_runs(case: Case, stage: Stage) -> None:
    message = case.told(stage)
    seen = stage.cluster.wait(case.name, lambda source: failed(source) and "currentRun" not in source["status"])
    ready_, stalled = told(seen)["Ready"], told(seen).get("Stalled")
    assert ready_ == ("False", case.reason, message)
    assert stalled == (("True", case.reason, message) if case.stalled else None)
    event = stage.cluster.wait_event(case.name, "Stalled" if case.stalled else "Failed")
    assert (event["type"], event["message"]) == ("Warning", f"{case.reason}: {message}")
    assert case.written(stage) == ([], [])
    case.mend(case, stage)
    mended = stage.cluster.wait(case.name, ready, seconds=60)
    assert told(mended)["Ready"][1] == "Succeeded"
    assert "Stalled" not in told(mended)
    rows, cursors = case.written(stage)
    assert set(rows) == case.orders.rows()
    assert len(rows) == COUNT
    assert cursors == [("2024-03-01T02:30:00Z",)]


def test_record_without_key(stage: Stage) -> None:
    orders = Orders(COUNT)
    stage.api.routes["/record-without-key"] = without_key(120, 130)(orders)
    stage.cluster.apply(
        secret("record-without-key-db", url=stage.warehouse.url),
        source(
            "record-without-key",
            stage.api,
            "/record-without-key",
            secret="record-without-key-db",
            table="record_without_key",
            http={"pagination": PAGES},
        ),
    )
    done = stage.cluster.request("record-without-key", "one")
    message = "150 read, 148 inserted, 0 updated, 0 unchanged, 2 quarantined in <took>; quarantined: 2 MissingKey (id)"
    assert told(done)["Ready"] == ("True", "RecordsQuarantined", message)
    assert counts(history(done)[0]) == did(read=150, inserted=148, quarantined=2)
    assert done["status"]["quarantined"] == 2
    event = stage.cluster.wait_event("record-without-key", "RecordsQuarantined")
    assert (event["type"], steady(event["message"])) == ("Warning", message)
    rows = stage.warehouse.sql("SELECT id, customer, total::text FROM record_without_key")
    assert set(rows) == {row for row in orders.rows() if row[0] not in (120, 130)}
    kept = stage.warehouse.sql(
        "SELECT record::json->'customer'->>'name', reason, field, message FROM syncsource_quarantine "
        "WHERE identity LIKE '%/record-without-key' ORDER BY 1"
    )
    told_ = ("MissingKey", "id", "id: a field of the key is missing or null")
    assert kept == [("Ayu 120", *told_), ("Ayu 130", *told_)]

    stage.api.routes["/record-without-key"] = orders
    done = stage.cluster.request("record-without-key", "two")
    assert told(done)["Ready"] == ("True", "Succeeded", "150 read, 2 inserted, 0 updated, 148 unchanged in <took>")
    assert done["status"]["quarantined"] == 0
    assert set(stage.warehouse.sql("SELECT id, customer, total::text FROM record_without_key")) == orders.rows()
    assert stage.warehouse.sql("SELECT * FROM syncsource_quarantine WHERE identity LIKE '%/record-without-key'") == []


DECODING = 'SyncSource in version "v1alpha1" cannot be handled as a SyncSource: strict decoding error: '
INVALID = 'SyncSource.syncsource.dev "refused" is invalid: '
UNCHECKED = (
    ", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation]"
)
URL = "http://127.0.0.1/x"
REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"schdule": {"every": "5m"}}, f'{DECODING}unknown field "spec.schdule"'),
    ({"http": {"tmeout": "3s"}}, f'{DECODING}unknown field "spec.source.http.tmeout"'),
    (
        {"suspend": "yes"},
        f'{INVALID}[spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"{UNCHECKED}',
    ),
    (
        {"retry": {"limit": 1000}},
        f"{INVALID}spec.retry.limit: Invalid value: 1000: spec.retry.limit in body should be less than or equal to 100",
    ),
    (
        {"write": {"onExisting": "Replace"}},
        f'{INVALID}[spec.write.onExisting: Unsupported value: "Replace": supported values: "Update", "Skip", "Merge"{UNCHECKED}',
    ),
    (
        {"schedule": {"every": "5m", "cron": "0 * * * *"}},
        f"{INVALID}spec.schedule: Invalid value: exactly one of every and cron must be set",
    ),
    ({"schedule": {}}, f"{INVALID}spec.schedule: Invalid value: exactly one of every and cron must be set"),
    (
        {"schedule": {"every": "5 minutes"}},
        f'{INVALID}spec.schedule.every: Invalid value: "5 minutes": spec.schedule.every in body should match '
        "'^([0-9]{1,9}(ms|s|m|h|d))+$'",
    ),
    (
        {"schedule": {"cron": "every hour"}},
        f'{INVALID}spec.schedule.cron: Invalid value: "every hour": spec.schedule.cron in body should match '
        r"'^(\S+\s+){4}\S+$'",
    ),
    (
        {"schedule": {"cron": "0 * * * *", "timeZone": "Mars/Phobos"}},
        f'{INVALID}spec.schedule.timeZone: Invalid value: "string": unknown time zone Mars/Phobos evaluating rule: not an IANA time zone',
    ),
    ({"schedule": {"every": "5m", "timeZone": "UTC"}}, f"{INVALID}spec.schedule: Invalid value: timeZone is only for cron"),
    ({"keys": [{"fields": ["no"]}]}, f"{INVALID}spec.keys: Invalid value: every key field must be one of spec.fields"),
    (
        {"http": {"pagination": {"link": {}, "none": {}}}},
        f"{INVALID}spec.source.http.pagination: Invalid value: exactly one of page, offset, cursor, link, nextURL, keyset, none must be set",
    ),
]


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=lambda value: json.dumps(value) if isinstance(value, dict) else "")
def test_refused(wrong: dict[str, Any], message: str, cluster: Cluster, api: Api) -> None:
    with pytest.raises(Refused) as refused:
        cluster.create(source("refused", api, "/refused", secret="db", table="refused", **wrong))
    assert str(refused.value) == message


def test_no_secret_leaves(stage: Stage, product: Product) -> None:
    """Last, when all of the above has happened: no password stands in any object, log or ledger."""
    ledger = [row for table in sorted(stage.warehouse.tables()) for row in stage.warehouse.sql(f"SELECT * FROM {table}")]
    shown = json.dumps([stage.cluster.list("SyncSource"), stage.cluster.list("Event"), product.log, product.welcome, repr(ledger)])
    assert "wrong-password" in shown
    assert [value for value in SECRETS for form in (value, quote(value, safe=""), encoded(value)) if form in shown] == []
    lines = [" ".join(process.cmdline()) for process in product.children]
    assert [line for line in lines for value in SECRETS if value in line] == []


def encoded(value: str) -> str:
    """As basic authentication sends it, but for the ends."""
    return base64.b64encode(f"ayu:{value}".encode()).decode().rstrip("=")[:-2]
