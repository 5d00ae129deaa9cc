"""Fields that were inferred once, so that a sparse page of a later run changes nothing."""

from __future__ import annotations

from sqlalchemy import Engine, select, update

from syncsource.ledger.connecting import reading, writing
from syncsource.ledger.tables import sources


def inferred_fields(engine: Engine, identity: str, config_hash: str) -> str | None:
    """The fields as JSON, where they were inferred for a configuration of this hash."""
    query = select(sources.c.fields).where(sources.c.identity == identity, sources.c.fields_hash == config_hash)
    with reading(engine).connect() as connection:
        found: str | None = connection.execute(query).scalar()
    return found


def remember_fields(engine: Engine, identity: str, config_hash: str, fields: str) -> None:
    """Keeps them for an identity that has a fence, in a transaction of its own."""
    with writing(engine).begin() as connection:
        connection.execute(update(sources).where(sources.c.identity == identity).values(fields=fields, fields_hash=config_hash))
