"""A read of a database that ends early goes on from the cursor of the last row that was committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from syncsource import ledger
from syncsource.engine.executing import execute
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.errors import RetryableError
from syncsource.sources.base import Page, Slice, Source
from syncsource.sources.hosts import local_hosts
from syncsource.sources.opening import open_source
from tests.database.conftest import Place
from tests.database.reading.origin import Origin, spec_of

INSTANT = {"postgresql": "timestamptz", "mariadb": "timestamp(6) NULL", "sqlite": "text"}
VALUES = {
    "bigint": [None, None, "-3", "-3", "0", "9007199254740993", "9007199254740993", "9223372036854775807"],
    "date": [None, "'2026-01-01'", "'2026-01-01'", "'2026-01-02'", "'2026-01-03'", "'2026-01-03'"],
    "instant": [None, *(f"'2026-01-31 12:00:00.{part}'" for part in ("000001", "000001", "000002", "1", "123456", "9"))],
    "text": [None, "'A'", "'B'", "'B'", "'a'", "'b'", "'ä'"],
}


@pytest.mark.parametrize("kind", VALUES)
def test_each_page_is_gone_on_from(origin: Origin, kind: str) -> None:
    """Rows that tie with the last one of the page come again, and none is left out."""
    column = {"instant": INSTANT[origin.kind], "text": "varchar(9)"}.get(kind, kind)
    origin.sql(f"CREATE TABLE orders (id bigint PRIMARY KEY, changed {column})")
    for number, value in enumerate(VALUES[kind], 1):
        origin.sql(f"INSERT INTO orders VALUES ({number}, {value or 'NULL'})")
    pages = origin.pages("changed", table="orders", pageSize=2)
    numbers = [record["id"] for page in pages for record in page.records]
    assert sorted(numbers) == list(range(1, len(VALUES[kind]) + 1))
    done, ways = 0, 0
    for page in pages:
        done += len(page.records)
        if page.resume is None:
            assert page.records[-1]["changed"] is None
            continue
        ways += 1
        rest = origin.ids("changed", Slice(resume=page.resume), table="orders", pageSize=2)
        assert set(numbers[done:]) <= set(rest)
        assert set(rest) - set(numbers[done:]) <= {record["id"] for one in pages for record in one.records if _equal(record, page)}
    assert ways >= 2


def _equal(record: Any, page: Page) -> bool:
    """Texts of SQLite are read again from the last second on."""
    return str(record["changed"])[:19] == str(page.records[-1]["changed"])[:19]


def test_a_query_that_says_itself_what_is_new_is_given_the_same_again(origin: Origin) -> None:
    origin.sql("CREATE TABLE orders (id bigint PRIMARY KEY, changed bigint)")
    origin.sql(*(f"INSERT INTO orders VALUES ({number}, {number})" for number in range(1, 8)))
    query = "SELECT id, changed FROM orders WHERE changed >= COALESCE({cursor}, 0)"
    part = Slice(since="2", resume="5")
    assert origin.ids("changed", part, query=query) == [5, 6, 7]


def test_what_has_no_cursor_has_no_place_to_go_on_from(origin: Origin) -> None:
    origin.sql("CREATE TABLE orders (id bigint PRIMARY KEY)")
    origin.sql(*(f"INSERT INTO orders VALUES ({number})" for number in range(1, 8)))
    assert {page.resume for page in origin.pages(table="orders", pageSize=2)} == {None}


class Cut:
    """A source that breaks off after so many pages."""

    def __init__(self, source: Source, pages: int) -> None:
        self._source, self._pages = source, pages
        self.waits, self.billed = source.waits, 0
        self.state: str | None = None
        self.unchanged = False
        self.known: Sequence[str] = ()

    def pages(self, part: Slice) -> Iterator[Page]:
        """The first."""
        for number, page in enumerate(self._source.pages(part)):
            if number == self._pages:
                raise RetryableError("broken off", reason="ConnectionLost")
            yield page

    def close(self) -> None:
        """The one that it cuts."""
        self._source.close()


def run(origin: Origin, place: Place, cut: int | None = None) -> Outcome:
    """From ``orders`` to ``copy``, in batches of four rows or more; ``cut``: after so many pages of three."""
    sql = {"urlFrom": {"secretKeyRef": {"name": "shop", "key": "url"}}, "table": "orders", "pageSize": 3}
    fields = [{"name": "id", "type": "integer"}, {"name": "changed", "type": "timestamp"}]
    whole = spec_of("changed", fields).model_dump(by_alias=True, mode="json", exclude_none=True, exclude_defaults=True)
    whole |= {"source": {"sql": sql}, "safety": {"transaction": "Batch", "batchRows": 4}}
    whole["destination"]["sql"]["createTable"] = True
    secrets = {"db": {"url": place.url}, "shop": {"url": origin.url}}
    plan, stop = RunPlan(run=uuid4().hex, identity="test/ns/sql", trigger="Request", spec=whole, secrets=secrets), Stop()

    def opened(spec: Any, secrets: Any) -> Source:
        source = open_source(spec, secrets, hosts=local_hosts(stop.event), cancelled=stop.event)
        return source if cut is None else Cut(source, cut)

    return execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda _: None, opened=opened)


def test_only_the_rest_is_read(origin: Origin, sqlite: Place) -> None:
    origin.sql(f"CREATE TABLE orders (id bigint PRIMARY KEY, changed {INSTANT[origin.kind]})")
    for number in range(1, 21):
        origin.sql(f"INSERT INTO orders VALUES ({number}, '2026-01-31 12:00:{number:02}')")
    origin.sql("INSERT INTO orders VALUES (99, NULL)")
    outcome = run(origin, sqlite, cut=4)
    assert (outcome.result, outcome.counts.inserted) == ("Failed", 12)
    outcome = run(origin, sqlite)
    assert (outcome.result, outcome.counts.read, outcome.counts.unchanged, outcome.counts.inserted) == ("Succeeded", 10, 1, 9)
    assert len(sqlite.sql("SELECT id FROM copy")) == 21
    with closing(sqlite.database.engine.connect()) as connection:
        kept = ledger.cursor(connection, "test/ns/sql")
    assert kept is not None
    assert (kept.position, (kept.text or "").replace(" ", "T")[:19]) == (None, "2026-01-31T12:00:20")
