"""Connections to PostgreSQL: their settings, which are the same for every session."""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

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


def connect(url: URL, patience: float) -> Engine:
    """A lazy engine with a small pool whose connections are tried before use."""
    url = url.set(drivername="postgresql+psycopg", query={**_CONNECT, **url.query})
    engine = create_engine(url, pool_size=2, max_overflow=80, pool_pre_ping=True, pool_recycle=1800, hide_parameters=True)
    event.listen(engine, "connect", _Settings(patience))
    return engine


class _Settings:
    """Sent as statements, since poolers in front of a server refuse unknown startup parameters."""

    def __init__(self, patience: float) -> None:
        self._statement = "; ".join(
            (
                "SET TIME ZONE 'UTC'",
                "SET DateStyle TO 'ISO, YMD'",
                "SET client_encoding TO 'UTF8'",
                f"SET lock_timeout TO {int(patience * 1000)}",
                "SET temp_buffers TO '32MB'",  # staging of a usual run stays in memory
                "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",
                f"SELECT set_config('{_IDLE}', '{_STANDSTILL}s', false) WHERE current_setting('{_IDLE}') = '0'",
            )
        )

    def __call__(self, driver: Any, _record: Any) -> None:
        driver.execute(self._statement)
        driver.commit()
