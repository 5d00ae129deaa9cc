"""What can be wrong outside, case by case: how it is brought about, what is told of it, and how it is mended."""

from __future__ import annotations

import base64
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests import postgres
from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Cluster, secret
from tests.e2e.databases import Warehouse, opened
from tests.upstream import Asked, Reply, Script

PASSWORD = "pa55 w/rd-of-the-api"
WRONG = "wr0ng-pa55word"
DATABASE_PASSWORD = "s3cret-of-the-database"
SECRETS = (PASSWORD, WRONG, DATABASE_PASSWORD)
COUNT = 150
RETRY = {"limit": 100, "backoff": "1s", "maxBackoff": "1s"}


@dataclass
class Spare:
    """A server of its own, with its data in a folder, that is down until it is started."""

    folder: str
    url: str
    stack: ExitStack
    warehouse: Warehouse | None = None
    """None while it is down."""

    @classmethod
    @contextmanager
    def prepared(cls) -> Iterator[Spare]:
        """Down."""
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            with postgres.running(folder) as url:
                pass
            yield cls(folder, url, stack)

    def start(self) -> None:
        """Up, as long as it is needed."""
        url = self.stack.enter_context(postgres.running(self.folder))
        self.warehouse = self.stack.enter_context(opened("postgresql", url))


@dataclass
class Stage:
    """What the cases play on."""

    cluster: Cluster
    api: Api
    warehouse: Warehouse
    spare: Spare
    server: str
    """Folder of the warehouse's server."""


Act = Callable[["Case", Stage], Any]


@dataclass
class Case:
    """One thing that is wrong. ``reason`` and ``message`` are Ready's; <api> and <path> stand for the upstream's."""

    name: str
    reason: str
    message: str
    stalled: bool = False
    """Whether Stalled says the same."""
    create_table: bool = True
    on_spare: bool = False
    script: Callable[[Orders], Script] = lambda orders: orders
    spec: dict[str, Any] = field(default_factory=dict)
    prepare: Act = lambda case, stage: stage.cluster.apply(secret(case.secret, url=stage.warehouse.url))
    mend: Act = lambda case, stage: case.serve(stage, case.orders)
    orders: Orders = field(default_factory=lambda: Orders(COUNT))

    @property
    def secret(self) -> str:
        return f"{self.name}-db"

    @property
    def table(self) -> str:
        return self.name.replace("-", "_")

    def serve(self, stage: Stage, script: Script) -> None:
        stage.api.routes[f"/{self.name}"] = script

    def apply(self, stage: Stage) -> None:
        self.serve(stage, self.script(self.orders))
        self.prepare(self, stage)
        http = {"pagination": PAGES, **self.spec.get("http", {})}
        incremental = {"cursor": "modified", "param": "modified_after"}
        spec = {"schedule": {"every": "2s"}, "incremental": incremental, "retry": RETRY, **self.spec, "http": http}
        manifest = source(self.name, stage.api, f"/{self.name}", secret=self.secret, table=self.table, **spec)
        manifest["spec"]["destination"]["sql"]["createTable"] = self.create_table
        stage.cluster.apply(manifest)

    def written(self, stage: Stage) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """The rows in the table and the cursor in the ledger."""
        warehouse = stage.spare.warehouse if self.on_spare else stage.warehouse
        if warehouse is None or self.table not in warehouse.tables():
            return [], []
        rows = [(*row[:2], str(row[2])) for row in warehouse.sql(f"SELECT * FROM {self.table}")]
        return rows, warehouse.sql(f"SELECT cursor FROM syncsource_cursors WHERE identity LIKE '%/{self.name}'")

    def told(self, stage: Stage) -> str:
        """The message here and now."""
        known = {
            "path": f"{stage.api.url}/{self.name}",
            "namespace": stage.cluster.namespace,
            "server": stage.server,
            "spare": stage.spare.folder,
        }
        return re.sub("<(path|namespace|server|spare)>", lambda found: known[found[1]], self.message)


def on_second_page(reply: Reply) -> Callable[[Orders], Script]:
    """Orders, but the second page is this."""
    return lambda orders: lambda asked: reply if asked.query.get("page") == "2" else orders(asked)


def guarded(orders: Orders) -> Script:
    """Orders for those who know the password; others get what they sent thrown back."""
    wanted = "Basic " + base64.b64encode(f"ayu:{PASSWORD}".encode()).decode()

    def script(asked: Asked) -> Reply:
        sent = asked.headers.get("authorization", "")
        return orders(asked) if sent == wanted else Reply({"message": f"no: {base64.b64decode(sent[6:]).decode()}"}, 401)

    return script


def enveloped(orders: Orders, asked: Asked, name: str) -> Reply:
    """A page of orders within an object."""
    reply = orders(asked)
    return Reply({"data": {name: reply.body}, "total": COUNT}, headers=reply.headers)


def repeating(orders: Orders) -> Script:
    """Every page says that the next one is the second."""
    return lambda asked: Reply({"items": orders.records[:100] if "cursor" not in asked.query else orders.records[100:], "next": "second"})


def hanging(orders: Orders) -> Script:
    """The second page never comes."""

    def script(asked: Asked) -> Reply:
        if asked.query.get("page") == "2":
            threading.Event().wait(60)
        return orders(asked)

    return script


def without_key(*numbers: int) -> Callable[[Orders], Script]:
    """These orders have no id."""

    def script(orders: Orders) -> Script:
        def answer(asked: Asked) -> Reply:
            reply = orders(asked)
            shown = [{k: v for k, v in one.items() if k != "id"} if one["id"] in numbers else one for one in reply.body]
            return Reply(shown, headers=reply.headers)

        return answer

    return script


def basic(name: str) -> dict[str, Any]:
    """Basic authentication by that Secret."""
    return {"http": {"auth": {"basic": {"secretRef": {"name": name}}}}}


def with_secret(**data: str) -> Act:
    """The database's Secret, and one for the API."""

    def act(case: Case, stage: Stage) -> None:
        stage.cluster.apply(secret(case.secret, url=stage.warehouse.url))
        if data:
            stage.cluster.apply(secret(f"{case.name}-api", **data))

    return act


def with_url(change: Callable[[Stage], str]) -> Act:
    """The database's Secret."""
    return lambda case, stage: stage.cluster.apply(secret(case.secret, url=change(stage)))


def with_sql(statement: str) -> Act:
    """A statement, before or after."""

    def act(case: Case, stage: Stage) -> None:
        stage.cluster.apply(secret(case.secret, url=stage.warehouse.url))
        stage.warehouse.sql(statement)

    return act


def as_reader(password: str) -> Callable[[Stage], str]:
    """The warehouse by a user who is asked for a password."""
    return lambda stage: stage.warehouse.url.replace("//postgres:@", f"//reader:{password}@")


def read_only(stage: Stage) -> str:
    """The warehouse, as a standby that takes no writes."""
    return f"{stage.warehouse.url}%20-cdefault_transaction_read_only%3Don"


TABLE = "CREATE TABLE {} (id bigint PRIMARY KEY, customer text, total numeric(18,2), modified timestamptz)"
NO_CREATION = {"createTable": False}

CASES = [
    Case(
        "secret-missing",
        "SecretNotFound",
        "Secret secret-missing-api, which spec.source.http.auth names, is not in namespace <namespace>: create it",
        stalled=True,
        script=guarded,
        spec=basic("secret-missing-api"),
        mend=with_secret(username="ayu", password=PASSWORD),
    ),
    Case(
        "key-missing",
        "SecretNotFound",
        "Secret key-missing-api has no key password, which spec.source.http.auth needs: add it",
        stalled=True,
        script=guarded,
        spec=basic("key-missing-api"),
        prepare=with_secret(username="ayu"),
        mend=with_secret(username="ayu", password=PASSWORD),
    ),
    Case(
        "wrong-password",
        "AuthFailed",
        "GET <path>?page=1&per_page=100 answered 401: check the credentials in Secret wrong-password-api (spec.source.http.auth) "
        "and what they permit",
        stalled=True,
        script=guarded,
        spec=basic("wrong-password-api"),
        prepare=with_secret(username="ayu", password=WRONG),
        mend=with_secret(username="ayu", password=PASSWORD),
    ),
    Case(
        "not-there",
        "NotFound",
        'GET <path>?page=2&per_page=100 answered 404: {"message": "no route"}; '
        "check spec.source.http.baseURL and spec.source.http.request.path",
        script=on_second_page(Reply({"message": "no route"}, 404)),
    ),
    Case(
        "html",
        "NotJSON",
        "GET <path>?page=2&per_page=100 answered 200 with text/html, which is not JSON (JSON is malformed: invalid character (byte 0)): "
        "<title>Log in</title>; check spec.source.http.baseURL and spec.source.http.request",
        script=on_second_page(Reply(b"<title>Log in</title>", headers={"Content-Type": "text/html"})),
    ),
    Case(
        "truncated",
        "NotJSON",
        "GET <path>?page=2&per_page=100 answered 200 with application/json, which is not JSON (the JSON ends too early): "
        '[{"id": 101, "customer": {"na',
        script=on_second_page(Reply(b'[{"id": 101, "customer": {"na')),
    ),
    Case(
        "no-records",
        "RecordsNotFound",
        "spec.source.http.records: 'data.items' finds nothing, not a list; in the answer of GET <path>?page=2&per_page=100, "
        "the body has the fields data, total",
        spec={"http": {"records": "data.items"}},
        script=lambda orders: lambda asked: enveloped(orders, asked, "items" if asked.query["page"] == "1" else "list"),
        mend=lambda case, stage: case.serve(stage, lambda asked: enveloped(case.orders, asked, "items")),
    ),
    Case(
        "repeating",
        "PaginationStuck",
        "spec.source.http.pagination: page 2 (GET <path>?cursor=second) names page 2 as the next one; "
        "does the upstream know the parameters of paging that the spec names?",
        script=repeating,
        spec={"http": {"records": "items", "pagination": {"cursor": {}}}},
        mend=lambda case, stage: case.serve(stage, lambda asked: Reply({"items": case.orders.records})),
    ),
    Case(
        "database-down",
        "DatabaseUnavailable",
        'PostgreSQL <spare>/postgres: connection is bad: connection to server on socket "<spare>/.s.PGSQL.5432" failed: No such file or '
        "directory Is the server running locally and accepting connections on that socket?; "
        "check that it runs, and the Secret of spec.destination.sql.urlFrom",
        on_spare=True,
        prepare=with_url(lambda stage: stage.spare.url),
        mend=lambda case, stage: stage.spare.start(),
    ),
    Case(
        "read-only",
        "DatabaseReadOnly",
        "PostgreSQL <server>/postgres: cannot execute INSERT in a read-only transaction; "
        "it takes no writes: name the server that does in the Secret of spec.destination.sql.urlFrom",
        prepare=with_url(read_only),
        mend=with_url(lambda stage: stage.warehouse.url),
    ),
    Case(
        "database-password",
        "DatabaseAuthFailed",
        'PostgreSQL <server>/postgres: connection failed: connection to server on socket "<server>/.s.PGSQL.5432" failed: FATAL: '
        'password authentication failed for user "reader"; check user and password in the Secret of spec.destination.sql.urlFrom',
        prepare=with_url(as_reader(WRONG)),
        mend=with_url(as_reader(DATABASE_PASSWORD)),
    ),
    Case(
        "columns-differ",
        "SchemaMismatch",
        "the column 'total' of 'columns_differ' is boolean, and the field's type is decimal(18,2): declare it as boolean",
        stalled=True,
        prepare=with_sql("CREATE TABLE columns_differ (id bigint PRIMARY KEY, customer text, total boolean, modified timestamptz)"),
        mend=with_sql("ALTER TABLE columns_differ ALTER total TYPE numeric(18,2) USING NULL"),
    ),
    Case(
        "column-missing",
        "SchemaMismatch",
        "the table 'column_missing' has no column 'customer': its columns are id, name, total, modified; "
        "add the column, or mend the name in spec.fields",
        stalled=True,
        prepare=with_sql(TABLE.format("column_missing").replace("customer", "name")),
        mend=with_sql("ALTER TABLE column_missing RENAME name TO customer"),
    ),
    Case(
        "table-missing",
        "SchemaMismatch",
        "the database has no table 'table_missing': create it, or set spec.destination.sql.createTable to true",
        stalled=True,
        create_table=False,
        mend=with_sql(TABLE.format("table_missing")),
    ),
    Case(
        "too-many-invalid",
        "TooManyInvalid",
        "2 of 150 records are invalid: 2 MissingKey (id), more than spec.validation.maxInvalid (1); nothing was written",
        script=without_key(120, 130),
        spec={"validation": {"maxInvalid": 1}},
    ),
    Case(
        "invalid-fails",
        "InvalidRecords",
        "1 of 150 records are invalid: 1 MissingKey (id), and spec.validation.onInvalid is Fail; nothing was written",
        script=without_key(120),
        spec={"validation": {"onInvalid": "Fail"}},
    ),
    Case(
        "slow-answer",
        "Timeout",
        "GET <path>?page=2&per_page=100: no complete answer within 1s (spec.source.http.timeout); "
        "gave up after try 1 (spec.source.http.retry.attempts)",
        script=hanging,
        spec={"http": {"timeout": "1s"}},
    ),
    Case(
        "slow-run",
        "Timeout",
        "the run took longer than spec.timeout (1s); nothing of it was written",
        script=hanging,
        spec={"timeout": "1s"},
    ),
    Case(
        "bad-cron",
        "InvalidSpec",
        "spec.schedule.cron: '61 * * * *' is not a cron expression: Bad minute",
        stalled=True,
        spec={"schedule": {"cron": "61 * * * *"}},
        mend=lambda case, stage: stage.cluster.patch(case.name, {"spec": {"schedule": {"cron": None, "every": "2s"}}}),
    ),
]
