"""What goes wrong while a database is read: the reason, the way out, never a password; and nothing runs on after it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url

from syncsource.errors import AbortedError, PermanentError, RetryableError, StalledError, SyncError
from syncsource.sources.base import Slice
from tests.database.reading.origin import PASSWORD, Origin, spec_of
from tests.e2e.torture.waiting import until

ENDLESS = {
    "postgresql": "SELECT pg_sleep(60)::text AS id",
    "mariadb": "SELECT SLEEP(60) AS id",
    "sqlite": "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n WHERE id < 0",
}
MANY = {
    "postgresql": "SELECT n AS id, repeat('x', 1000) AS x FROM generate_series(1, 100000) AS n",
    "mariadb": "SELECT seq AS id, REPEAT('x', 1000) AS x FROM seq_1_to_100000",
    "sqlite": "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT 100000) SELECT id, hex(zeroblob(500)) AS x FROM n",
}


def failed(origin: Origin, url: str | None = None, /, **sql: Any) -> SyncError:
    """How a read of the table ``orders``, if not of something else, ends."""
    with closing(origin.source(spec_of(**(sql or {"table": "orders"})), url=url)) as source, pytest.raises(SyncError) as caught:
        list(source.pages(Slice()))
    assert PASSWORD not in caught.value.message
    assert quote(PASSWORD, safe="") not in caught.value.message
    return caught.value


@pytest.fixture
def guarded(from_postgresql: Origin) -> Iterator[Origin]:
    """A user reader who needs a password and may read nothing."""
    plain = from_postgresql.plain
    file = Path(plain.execute("SHOW hba_file").fetchone()[0])
    before = file.read_text()
    file.write_text(f"local all shop scram-sha-256\n{before}")
    from_postgresql.sql(f"CREATE ROLE shop LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}'", "SELECT pg_reload_conf()")
    schema = plain.execute("SELECT current_schema()").fetchone()[0]
    from_postgresql.sql("CREATE TABLE orders (id integer)", f"GRANT USAGE ON SCHEMA {schema} TO shop")
    yield from_postgresql
    file.write_text(before)
    from_postgresql.sql("DROP OWNED BY shop", "DROP ROLE shop", "SELECT pg_reload_conf()")


@pytest.fixture
def guarded_mariadb(from_mariadb: Origin) -> Iterator[Origin]:
    """The same."""
    user = "shop@localhost"
    from_mariadb.sql("CREATE TABLE orders (id integer)", "CREATE TABLE other (id integer)")
    from_mariadb.sql(f"CREATE USER {user} IDENTIFIED BY '{PASSWORD.replace(chr(39), chr(39) * 2)}'", f"GRANT SELECT ON other TO {user}")
    yield from_mariadb
    from_mariadb.sql(f"DROP USER {user}")


def as_reader(origin: Origin, password: str = PASSWORD) -> str:
    """The URL of the user shop."""
    return make_url(origin.url).set(username="shop", password=password).render_as_string(hide_password=False)


def test_a_wrong_password(guarded: Origin, guarded_mariadb: Origin) -> None:
    for origin in (guarded, guarded_mariadb):
        error = failed(origin, as_reader(origin, "wr0ng"))
        assert (type(error), error.reason) == (PermanentError, "DatabaseAuthFailed")
        assert error.message.endswith("check user and password in the Secret of spec.source.sql.urlFrom")
        assert "wr0ng" not in error.message


def test_a_missing_grant_is_written_out(guarded: Origin, guarded_mariadb: Origin) -> None:
    for origin, name in ((guarded, '"orders"'), (guarded_mariadb, "`orders`")):
        error = failed(origin, as_reader(origin))
        assert (type(error), error.reason) == (PermanentError, "PermissionDenied"), error
        assert error.message.endswith(f"; run GRANT SELECT ON {name} TO the user of spec.source.sql.urlFrom")
        origin.sql(f"GRANT SELECT ON orders TO {'shop' if origin is guarded else 'shop@localhost'}")
        with closing(origin.source(spec_of(table="orders"), url=as_reader(origin))) as source:
            assert list(source.pages(Slice())) == []


def test_a_password_in_the_server_s_answer_is_hidden(guarded: Origin, guarded_mariadb: Origin) -> None:
    for origin in (guarded, guarded_mariadb):
        error = failed(origin, as_reader(origin), table=PASSWORD)
        assert "***" in error.message


def test_an_unknown_database(from_postgresql: Origin, from_mariadb: Origin) -> None:
    for origin in (from_postgresql, from_mariadb):
        error = failed(origin, str(make_url(origin.url).set(database="nowhere")))
        assert (type(error), error.reason) == (PermanentError, "DatabaseNotFound"), error


def test_a_file_that_is_none(from_sqlite: Origin, tmp_path: Path) -> None:
    missing = failed(from_sqlite, f"sqlite:///{tmp_path}/nope.db")
    assert (type(missing), missing.reason) == (PermanentError, "DatabaseNotFound")
    assert not (tmp_path / "nope.db").exists()
    (tmp_path / "text.db").write_text("no database at all, whatever its name says" * 30)
    damaged = failed(from_sqlite, f"sqlite:///{tmp_path}/text.db")
    assert (type(damaged), damaged.reason) == (PermanentError, "DatabaseDamaged")


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_refused_connection(scheme: str, from_sqlite: Origin) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = failed(from_sqlite, f"{scheme}://u:{quote(PASSWORD, safe='')}@127.0.0.1:{taken.getsockname()[1]}/shop")
    assert (type(error), error.reason) == (RetryableError, "DatabaseUnavailable")
    assert error.message.endswith("check that it runs, and the Secret of spec.source.sql.urlFrom")


def test_a_server_without_tls_where_tls_is_asked_for(from_mariadb: Origin, from_sqlite: Origin) -> None:
    url = make_url(from_mariadb.url).set(query={"ssl_verify_cert": "true"})
    error = failed(from_mariadb, str(url))
    assert (type(error), error.reason) == (PermanentError, "TLSFailed")
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_no_tls, args=(server,))
        thread.start()
        error = failed(from_sqlite, f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/shop?sslmode=require&gssencmode=disable")
        thread.join()
    assert (type(error), error.reason) == (PermanentError, "TLSFailed")


def _no_tls(server: socket.socket) -> None:
    """Answers PostgreSQL's SSLRequest with N."""
    client, _ = server.accept()
    with client:
        client.recv(8)
        client.sendall(b"N")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            "no url",
            "is not a database URL: write postgresql://user:password@host:5432/name, mysql://user:password@host:3306/name or sqlite:",
        ),
        ("oracle://u:p@h/n", "names the database 'oracle', which is not supported"),
        ("mysql://u:p@h", "names no database"),
        ("sqlite:///:memory:", "SQLite needs a file"),
        ("postgresql://u@127.0.0.1:1/n?no_such_option=1", "mend the URL in the Secret of spec.source.sql.urlFrom"),
        ("mysql://u:p@h/n?local_infile=1", "the URL sets 'local_infile': remove it; it may set "),
    ],
)
def test_a_url_that_can_t_be_used(from_sqlite: Origin, url: str, said: str) -> None:
    with pytest.raises(StalledError) as caught, closing(from_sqlite.source(spec_of(table="orders"), url=url)) as source:
        list(source.pages(Slice()))
    assert (caught.value.reason, said in caught.value.message) == ("InvalidSpec", True), caught.value.message


def test_a_secret_without_the_key(from_sqlite: Origin) -> None:
    spec = spec_of(table="orders")
    assert spec.named_in("shop", "url") == "spec.source.sql.urlFrom"
    from_sqlite.url = ""
    with pytest.raises(StalledError) as caught:
        type(from_sqlite.source(spec, url="sqlite:////x")).open(spec, {"shop": {}}, hosts=None, cancelled=threading.Event())  # type: ignore[arg-type]
    assert (caught.value.reason, "spec.source.sql.urlFrom needs" in caught.value.message) == ("SecretNotFound", True)


def running(origin: Origin) -> int:
    """How many of the endless queries the server runs."""
    if origin.kind == "postgresql":
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    else:
        query = "SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'"
    with closing(origin.plain.cursor()) as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def test_a_statement_that_takes_too_long_is_ended(origin: Origin) -> None:
    limit = "2s" if origin.kind == "mariadb" else "300ms"  # whole seconds, connecting included
    error = failed(origin, query=ENDLESS[origin.kind], timeout=limit)
    assert (type(error), error.reason) == (RetryableError, "Timeout")
    assert f"it took longer than spec.source.sql.timeout ({limit}): raise it, or give the cursor an index" in error.message
    if origin.kind != "sqlite":
        until(lambda: running(origin) == 0, "the server has ended it")


def test_closing_ends_a_statement_of_another_thread(origin: Origin) -> None:
    source = origin.source(spec_of(query=ENDLESS[origin.kind]))
    caught: list[BaseException] = []

    def read() -> None:
        try:
            list(source.pages(Slice()))
        except SyncError as error:
            caught.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    if origin.kind != "sqlite":
        until(lambda: running(origin) == 1, "the server is at it")
    source.close()
    thread.join(20)
    assert not thread.is_alive()
    assert [(type(error), getattr(error, "reason", "")) for error in caught] == [(AbortedError, "Cancelled")]
    if origin.kind != "sqlite":
        until(lambda: running(origin) == 0, "the server has ended it")


def test_a_read_may_be_left_in_its_middle(origin: Origin) -> None:
    """Neither the rest of the rows is read nor does the connection stay."""
    source = origin.source(spec_of(query=MANY[origin.kind], pageSize=10))
    pages = source.pages(Slice())
    assert len(next(pages).records) == 10
    source.close()
    with pytest.raises(AbortedError):
        next(pages)
    source.close()
    with pytest.raises(AbortedError):
        next(source.pages(Slice()))


def test_a_cancelled_run_reads_no_further(origin: Origin) -> None:
    cancelled = threading.Event()
    with closing(origin.source(spec_of(query=MANY[origin.kind], pageSize=10), cancelled)) as source:
        pages = source.pages(Slice())
        next(pages)
        cancelled.set()
        with pytest.raises(AbortedError) as caught:
            next(pages)
    assert caught.value.reason == "Cancelled"


def test_a_server_that_is_gone_in_mid_read(from_postgresql: Origin, from_mariadb: Origin) -> None:
    """After it the read is not complete: what came is a part, and the error says so."""
    for origin in (from_postgresql, from_mariadb):
        with closing(origin.source(spec_of(query=MANY[origin.kind], pageSize=10))) as source:
            pages = source.pages(Slice())
            next(pages)
            _kill(origin)
            with pytest.raises(SyncError) as caught:
                list(pages)
        error = caught.value
        assert (type(error), error.reason) == (RetryableError, "DatabaseUnavailable"), error
        assert error.message.endswith("check that it runs, and the Secret of spec.source.sql.urlFrom")


def _kill(origin: Origin) -> None:
    """Ends every connection to this database but the one that asks."""
    with closing(origin.plain.cursor()) as cursor:
        if isinstance(origin.plain, psycopg.Connection):
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%syncsource_read%' AND pid <> pg_backend_pid()"
            )
            return
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
