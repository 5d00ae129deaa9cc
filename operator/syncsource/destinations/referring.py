"""Rows of other tables that refer to rows which are to go: a foreign key may say that they go or change along, and nobody would be told."""

from __future__ import annotations

from syncsource.destinations.session import Session
from syncsource.destinations.table import Layout
from syncsource.errors import PermanentError


def check_unreferred(session: Session, layout: Layout, rows: str, where: str) -> None:
    """PermanentError (ConstraintViolation) where one does. ``rows``: those of the table, as ``t``; they are locked. Rows of the table itself that
    refer to others of it are the database's to judge, since they may go together."""
    for referrer in session.referrers(layout):
        if referrer.name == layout.name:
            continue
        found = int(session.value(f"SELECT count(*) FROM {rows} WHERE {where} AND {referrer.refers('t')}"))
        if found:
            raise PermanentError(
                f"rows of {referrer.name!r} refer to {found:,} of the rows that were to go ({referrer.constraint}): nothing was changed; "
                f"let them refer to others first",
                reason="ConstraintViolation",
            )
