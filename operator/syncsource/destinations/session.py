"""One connection of the driver's own, its errors translated at this border."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

from syncsource.destinations.database import Database
from syncsource.destinations.dialect import Dialect, Driver, Load, Refusal
from syncsource.destinations.table import Found, Layout, Referrer
from syncsource.errors import AbortedError, CommitLost, PermanentError, RetryableError, SyncError
from syncsource.resource.fields import FieldSpec


class RowRefused(Exception):
    """The database did not take a statement's rows, and a row is why. Never leaves this room."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.nameless or refusal.reason)
        self.refusal = refusal


@contextmanager
def nameless(what: str) -> Iterator[None]:
    """Where no row can be named, what the database refuses ends the run: a constraint at COMMIT, a limit of a definition. The run's message goes
    to status and Events, where no value of a row may be."""
    try:
        yield
    except RowRefused as refused:
        refusal = refused.refusal
        raise PermanentError(f"the database refused {what}: {refusal.nameless or refusal.reason}", reason=refusal.reason) from refused


class Session:
    """A connection in the driver's autocommit mode: transactions begin and end with statements, so that staging holds no lock.

    ``brief``: it looks something up, and leaves nothing behind: others have its connection afterwards.
    """

    def __init__(self, database: Database, *, brief: bool = False) -> None:
        self._database, self._brief = database, brief
        self.dialect: Dialect = database.dialect
        self.connection: Connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self.driver: Driver = self.connection.connection.driver_connection
        self._cancelled = threading.Event()
        self._loading: AbstractContextManager[Load] | None = None
        self._may_stand_still(within=False)

    def run(self, statement: str, values: Sequence[Any] | None = None) -> int:
        """Executes a statement and returns how many rows it touched."""
        with self.translated(), self._cursor() as cursor:
            cursor.execute(statement) if values is None else cursor.execute(statement, values)
            return int(cursor.rowcount)

    def run_many(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        """Executes a statement once for each set of values."""
        with self.translated(), self._cursor() as cursor:
            cursor.executemany(statement, values)

    def fill(self, table: str, columns: Sequence[Sequence[Any]]) -> None:
        """Inserts rows, held by column, into a temporary table of as many columns."""
        with self.translated():
            self.dialect.fill(self.driver, table, columns)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """A query's rows."""
        with self.translated(), self._cursor() as cursor:
            cursor.execute(statement)
            return [tuple(row) for row in cursor.fetchall()]

    def value(self, statement: str) -> Any:
        """The first value of a query's first row; None where it has none."""
        found = self.rows(statement)
        return found[0][0] if found else None

    def stream(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """A query's rows, without holding all of them. Inside a transaction only."""
        with self.translated():
            yield from self.dialect.stream(self.driver, statement)

    def load(self, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> None:
        """Hands rows over to the staging table. ``columns``: their values, one sequence for each name, the same names until :meth:`settle`.

        Whatever it or that raises, none of the rows since the last :meth:`settle` is there then.
        """
        with self.translated():
            if self._loading is None:
                loading = self.dialect.loading(self.driver, names)
                self._load, self._loading = loading.__enter__(), loading
            try:
                self._load(columns)
            except BaseException as error:
                self._end_loading(error)
                raise

    def settle(self) -> None:
        """Waits until the staging table has the rows handed over. Nothing else may be asked of the database before."""
        with self.translated():
            self._end_loading(None)

    def layout(self, schema: str | None, name: str) -> Layout | None:
        """What stands in the database under this name; None where nothing does."""
        with self.translated():
            return self.dialect.layout(self.driver, schema, name)

    def referrers(self, layout: Layout) -> tuple[Referrer, ...]:
        """Foreign keys that refer to a table."""
        with self.translated():
            return tuple(self.dialect.referrers(self.driver, layout))

    def create(self, schema: str | None, name: str, fields: Sequence[FieldSpec], keys: Sequence[str]) -> None:
        """Creates the table unless somebody else just did."""
        with self.translated():
            self.dialect.create(self.driver, schema, name, fields, keys)

    def create_companion(
        self,
        name: str,
        own: Mapping[str, str],
        columns: Sequence[Found],
        layout: Layout,
        index: Sequence[Sequence[str]],
        *,
        temporary: bool = False,
    ) -> None:
        """Creates a table of ours beside one of people's, unless somebody else just did. ``temporary``: it ends with the connection."""
        with self.translated():
            self.dialect.create_companion(self.driver, name, own, columns, layout, index, temporary=temporary)

    @contextmanager
    def transaction(self, begin: str) -> Iterator[None]:
        """Everything inside, or nothing. A lost connection rolls back by itself."""
        self._may_stand_still(within=True)
        self.run(begin)
        try:
            yield
            self._check_place()
            self._commit()
        except BaseException:
            self._roll_back()
            raise
        finally:
            with suppress(SyncError):  # a connection that is lost, or a cancelled one, waits for nobody
                self._may_stand_still(within=False)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Everything inside, or nothing of it; what the transaction did before stays."""
        self.run("SAVEPOINT syncsource_step")
        try:
            yield
        except RowRefused:
            self.run("ROLLBACK TO SAVEPOINT syncsource_step")
            self.run("RELEASE SAVEPOINT syncsource_step")
            raise
        self.run("RELEASE SAVEPOINT syncsource_step")

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turns a driver's error into ours: RowRefused where a row is at fault, a SyncError otherwise."""
        if self._cancelled.is_set():
            raise _cancelled()
        try:
            yield
        except (self._database.driver_error, UnicodeError, OverflowError) as error:
            if self._cancelled.is_set():
                raise _cancelled() from error
            ours = self._database.translate(error)
            raise ours or RowRefused(self.dialect.refusal(error)) from error

    def cancel(self) -> None:
        """Ends what runs here, and all that would follow, with AbortedError. From any thread."""
        self._cancelled.set()
        with suppress(self._database.driver_error):  # a connection that is lost has nothing to stop
            self.dialect.cancel(self.driver)

    def close(self) -> None:
        """Closes the connection for good, unless it is brief: what is temporary goes with it."""
        if not self.connection.closed:
            if not self._brief:
                self.connection.invalidate()
            self.connection.close()
        with suppress(self._database.driver_error):
            self._end_loading(_cancelled())

    def _end_loading(self, error: BaseException | None) -> None:
        loading, self._loading = self._loading, None
        if loading is not None:
            loading.__exit__(None if error is None else type(error), error, None)

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        cursor = self.driver.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def _may_stand_still(self, *, within: bool) -> None:
        statement = None if self._brief else self.dialect.standstill(within=within)
        if statement is not None:
            self.run(statement)

    def _commit(self) -> None:
        try:
            self.run("COMMIT")
        except RetryableError as error:
            if error.reason != "DatabaseUnavailable":
                raise
            raise CommitLost(error.message, reason=error.reason) from error

    def _check_place(self) -> None:
        if not self.dialect.in_place(self.driver):
            raise RetryableError(
                f"{self._database.place} was removed or replaced while it was written to: nothing was committed",
                reason="DatabaseUnavailable",
            )

    def _roll_back(self) -> None:
        try:
            self.driver.rollback()
        except self._database.driver_error:
            self.connection.invalidate()


def _cancelled() -> AbortedError:
    return AbortedError("cancelled while it wrote to the database: nothing of it was committed", reason="Cancelled")
