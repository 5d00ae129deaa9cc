"""One connection that does one thing to a table, at the end of which nothing is left of it but what was committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import Connection

from syncsource.destinations.database import Database
from syncsource.destinations.session import Session, nameless


class Working:
    """Leave it by ``with``: what was not committed is gone. Raises what a Writer does.

    ``what``: what the database refused where a constraint ends the transaction, for people.
    """

    def __init__(self, database: Database, what: str) -> None:
        self._session = Session(database)
        self._what = what

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Committed at the end of the block, gone if it raises."""
        with nameless(self._what), self._session.transaction(self._session.dialect.begin):
            yield self._session.connection

    def cancel(self) -> None:
        """See :meth:`syncsource.destinations.Writer.cancel`."""
        self._session.cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._session.close()
