"""Connections to PostgreSQL: their settings, which are the same for every session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from syncsource.destinations.dialect import Terms

_CONNECT = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "application_name": "syncsource",
}
"""libpq's settings, seconds; the URL's own query comes before them."""

_IDLE = "idle_in_transaction_session_timeout"
_STANDSTILL = 20
"""Seconds after which the server ends a transaction whose process says nothing, as one that is stopped or cut off: less than others wait for
its locks. A setting of the server, the role or the URL comes before it."""
_KEEPALIVES = (("tcp_keepalives_idle", 30), ("tcp_keepalives_interval", 10), ("tcp_keepalives_count", 3))
"""The server's own: a machine that is gone says no goodbye, and the server would ask for it after two hours."""


def connect(url: URL, terms: Terms) -> Engine:
    """A lazy engine with a small pool whose connections are tried before use."""
    url = url.set(drivername="postgresql+psycopg", query={**_CONNECT, **url.query})
    engine = create_engine(url, **terms.pool, pool_pre_ping=True, pool_recycle=1800, hide_parameters=True)
    event.listen(engine, "connect", _Settings(terms))
    return engine


class _Settings:
    """Sent as statements, since poolers in front of a server refuse unknown startup parameters."""

    def __init__(self, terms: Terms) -> None:
        self._statement = "; ".join(
            (
                "SET TIME ZONE 'UTC'",
                "SET DateStyle TO 'ISO, YMD'",
                "SET client_encoding TO 'UTF8'",
                f"SET lock_timeout TO {int(terms.patience * 1000)}",
                "SET temp_buffers TO '32MB'",  # staging of a usual run stays in memory
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
                _unless_set(_IDLE, f"{_STANDSTILL}s"),
                *([_unless_set("statement_timeout", f"{int(terms.longest * 1000)}ms")] if terms.longest else ()),
                *(f"SET {name} TO {seconds}" for name, seconds in _KEEPALIVES),
            )
        )

    def __call__(self, driver: Any, _record: Any) -> None:
        driver.execute(self._statement)
        driver.commit()


def _unless_set(name: str, value: str) -> str:
    return f"SELECT set_config('{name}', '{value}', false) WHERE current_setting('{name}') = '0'"
