"""What differs between databases. Each dialect is one package with an object of this shape; nothing else asks which one it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import URL, Engine

from syncsource.destinations.dumps.programs import Programs
from syncsource.destinations.quoting import Joined, quoted
from syncsource.destinations.table import Column, Found, Layout, Referrer, Table
from syncsource.destinations.values import Codec
from syncsource.errors import SyncError
from syncsource.resource.fields import FieldSpec

Driver = Any
"""A connection of the driver's own: psycopg's, PyMySQL's or sqlite3's."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the database did not take a row. ``column`` is the table's, or ``c<place>`` of the staging table's."""

    reason: str
    message: str
    """May quote the row: it goes to quarantine, in the same database, and nowhere else."""
    column: str | None = None
    depends: bool = False
    """Whether other rows of the run may decide it: another unique index, a foreign key."""
    nameless: str = ""
    """The same without any value, for a run's message."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How long, in seconds, and how much of a server is taken."""

    patience: float
    """For somebody else's lock."""
    longest: float | None = None
    """For a statement, after which the server ends it, whether we are still there or not. None: as the server says."""

    most: int | None = None
    """Connections at a time: who wants another waits until one is given back. None: as many as are wanted."""

    @property
    def pool(self) -> Mapping[str, float]:
        """Of connections: few wait for use."""
        size = min(2, self.most or 2)
        return {"pool_size": size, "max_overflow": (self.most or 82) - size, "pool_timeout": self.longest or 30}


NO_TEXT = "a value that is not text that a database takes"
"""Of a refusal that the driver made itself."""

Load = Callable[[Sequence[Sequence[Any]]], None]
"""Takes rows, at least one, held by column. What it raises, it may raise for rows that it was given before."""


def target(dialect: Dialect, schema: str | None, name: str) -> str:
    """A table's quoted name; never that of a temporary table where those have a schema of their own."""
    return quoted(schema or ("main" if dialect.temp == "temp" else None), name)


class Dumping(Protocol):
    """How a table goes into a file, and its rows come back from there. May raise a driver's error."""

    @property
    def ending(self) -> str:
        """Of the file's name."""

    def check(self) -> None:
        """PermanentError (ProgramNotFound) where a program is wanting."""

    def check_table(self, layout: Layout) -> None:
        """SchemaMismatch where its rows would not come back as they are."""

    def dump(self, layout: Layout, file: Path) -> None:
        """Fills the file, which is there, with one state of the table. Outside of a transaction."""

    def rows(self, layout: Layout, file: Path) -> int:
        """How many the file has: it is read to its end."""

    def load(self, file: Path, table: str, columns: Sequence[str], lacking: Sequence[str], scratch: str) -> int:
        """Fills the table ``scratch``, which has ``columns`` of the one that the file has as ``table``; it has ``lacking`` besides. Tells how many
        rows those are."""


class Dialect(Protocol):
    """One kind of database."""

    @property
    def begin(self) -> str:
        """Starts the transaction that writes."""

    @property
    def temp(self) -> str:
        """The schema of temporary tables; empty where they have none of their own."""

    @property
    def placeholder(self) -> str:
        """A parameter in a statement."""

    @property
    def insert(self) -> str:
        """The words of an INSERT that neither replaces nor skips, whatever the table declares."""

    @property
    def join(self) -> str:
        """The word that joins tables to be locked."""

    def engine(self, url: URL, terms: Terms) -> Engine:
        """Connections with the session settings that rows need."""

    def standstill(self, *, within: bool) -> str | None:
        """Tells the server how long this connection may say nothing, ``within`` a transaction or not, before its locks go. None: it knows."""

    def translate(self, error: BaseException, place: str) -> SyncError | None:
        """What a driver's error means for the run; None where a row is at fault and nothing else."""

    def refusal(self, error: BaseException) -> Refusal:
        """What a driver's error says of the row at fault."""

    def layout(self, driver: Driver, schema: str | None, name: str) -> Layout | None:
        """What stands in the database under this name; None where nothing does. SchemaMismatch where there is no such schema."""

    def referrers(self, driver: Driver, layout: Layout) -> Sequence[Referrer]:
        """Foreign keys that refer to the table."""

    def create(self, driver: Driver, schema: str | None, name: str, fields: Sequence[FieldSpec], keys: Sequence[str]) -> None:
        """Creates the table unless somebody else just did. Without ``keys`` its primary key is a number of its own."""

    def create_companion(
        self,
        driver: Driver,
        name: str,
        own: Mapping[str, str],
        columns: Sequence[Found],
        layout: Layout,
        index: Sequence[Sequence[str]],
        *,
        temporary: bool,
    ) -> None:
        """Creates a table of ours, unless somebody else just did, or one that ends with the connection: ``own`` columns, and columns typed as those of a table. The former are its
        primary key, unless there are columns to ``index``, a list for each index."""

    def make_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        """Statements that give a table of ours its indexes again, see :meth:`drop_indexes`."""

    def drop_indexes(self, name: str, index: Sequence[Sequence[str]]) -> Sequence[str]:
        """Statements that take them away, while very many rows are inserted. None where that would commit."""

    def owned(self, name: str) -> str:
        """A query that tells whether this user may change the indexes of a table of ours, which another one may have created."""

    def changing(self, name: str) -> Sequence[str]:
        """Statements after a table of ours was created whose rows are changed where they stand."""

    @property
    def temporary(self) -> str:
        """The word in a DROP that spares a transaction, and every table but a temporary one."""

    @property
    def numbered(self) -> str:
        """What stands between the name of a new table and the query that it is made of, whose first column numbers the rows."""

    def created(self, field_type: str) -> str:
        """The type of a column that we create for a field's type."""

    def typed(self, found: Found) -> str:
        """The type of a column that holds what this one does, NULL included."""

    def later(self, column: Column, one: str, other: str) -> str:
        """A condition: of two values of an ordered column the first is higher. NULLs are not compared."""

    def find(self, columns: Sequence[Found], name: str) -> Found | None:
        """The column that a name means."""

    def codec(self, found: Found, field_type: str, key: bool) -> Codec | None:
        """How values of a field's type go into the column; None where they don't belong there."""

    def stage_ddl(self, table: Table, cursors: bool) -> Sequence[str]:
        """Creates the staging table: seq, cursor where ``cursors``, and a column c<place> for each mapped one, typed as it is."""

    def work_table(self, columns: str, sought: Sequence[str] = ()) -> str:
        """The rest of a definition of a small temporary table with these columns, one of them seq. ``sought``: those by which its rows are to be
        found quickly, see :meth:`indexes`."""

    def indexes(self, name: str, sought: Sequence[str]) -> Sequence[str]:
        """Statements that make rows of a temporary table quick to find by each of these columns, where its definition does not."""

    def loading(self, driver: Driver, names: Sequence[str]) -> AbstractContextManager[Load]:
        """What fills these columns of the staging table: with all that is handed to it until its end, or with nothing where that raises."""

    def fill(self, driver: Driver, table: str, columns: Sequence[Sequence[Any]]) -> None:
        """Inserts rows, held by column, into a temporary table of as many columns; in whatever transaction there is."""

    def staged(self, table: Table, *, sought: bool) -> Sequence[str]:
        """Statements that follow the last row staged. ``sought``: staged rows are looked for by their keys."""

    def differs(self, column: Column, one: str, other: str) -> str:
        """A condition: two values of the column are not the same, NULLs being values."""

    def exact(self, column: Column, expression: str) -> str | None:
        """Of a key's column whose comparison calls different values equal: an expression that tells them apart. None: there are none such."""

    def readable(self, column: Column, expression: str) -> str:
        """An expression whose value the driver reads without loss."""

    def guards(self, table: Table) -> Sequence[str]:
        """Statements that begin the writing transaction."""

    def updating(
        self,
        target: str,
        assigned: Sequence[tuple[str, str]],
        kept: Sequence[str],
        joined: Sequence[Joined],
        keys: str,
        where: str,
        *,
        whole: bool = False,
    ) -> str:
        """Sets columns of the table ``t`` to values of other tables. ``joined``: those, and by what each is joined to the ones before it; ``keys``
        joins the table to them. ``kept``: columns of the key, which stay whatever the table's definition says of updates. ``whole``: nearly all rows
        of the table are among them."""

    def deleting(self, target: str, match: Sequence[str], other: str, keys: str, where: str) -> str:
        """Deletes rows of the table ``t`` that are joined by ``keys`` to rows of another one. ``match``: its columns in them."""

    @property
    def as_given(self) -> str:
        """The words that make an INSERT take values for columns that the database usually numbers itself."""

    def locks(self, joined: str, order: str) -> str | None:
        """A query that locks the table's rows ``t`` of a join and counts them; None where the transaction locks them already."""

    def locking(self, select: str, order: str) -> str:
        """The same query, which locks the table's rows ``t`` that it finds, in an order where that matters, and gives them as they are then."""

    def in_order(self, select: str, order: str) -> str | None:
        """What an UPDATE takes the rows of a query from, so that it locks the table's rows in an order. None: the tables as they are."""

    def apart(self, name: str, like: str, own: Mapping[str, str], columns: Sequence[Found]) -> str | None:
        """A statement that makes a table of the same columns as another one of ours, see :meth:`create_companion`, with no index that would cost each row.
        None where to create one would commit."""

    def analyzed(self, name: str) -> Sequence[str]:
        """Statements after a temporary table was filled, so that joins with it are planned for what it holds."""

    def bisecting(self) -> Sequence[str]:
        """Statements that make a statement per few rows quick."""

    def stream(self, driver: Driver, statement: str) -> Iterator[tuple[Any, ...]]:
        """A query's rows, without holding all of them."""

    def in_place(self, driver: Driver) -> bool:
        """Whether what is committed now is found by the next connection."""

    def cancel(self, driver: Driver) -> None:
        """Stops what the connection is doing. Called from another thread."""

    def dumping(self, driver: Driver, programs: Programs) -> Dumping:
        """What writes files, and loads them by this connection."""
