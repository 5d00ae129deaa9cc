"""kopf's tries, told once."""

from __future__ import annotations

import logging

from syncsource.controller.kube.retelling import AGAIN_AFTER, Retelling

REFUSED = (
    "Request attempt #{} failed; will retry: GET https://127.0.0.1:44113/api/v1/{}?watch=true -> "
    "ClientConnectorError(ConnectionKey(host='127.0.0.1'), ConnectionRefusedError(111, 'Connect call failed'))"
)
FORBIDDEN = "Request attempt #1 failed; will retry: GET https://h/api/v1/{} -> APIForbiddenError('{} is forbidden: User \"x\" cannot list', {{'a': 1}})"


def test_once_a_minute_and_each_forbidden_resource() -> None:
    now = 0.0
    retelling = Retelling(lambda: now)

    def told(text: str) -> str | None:
        record = logging.makeLogRecord({"msg": text, "levelno": logging.ERROR, "levelname": "ERROR"})
        return f"{record.levelname} {record.getMessage()}" if retelling.filter(record) else None

    first = "WARNING GET /api/v1/secrets: ClientConnectorError; tried again until the API server answers"
    assert told(REFUSED.format(1, "secrets")) == first
    assert told(REFUSED.format(2, "secrets")) is None
    assert told(REFUSED.format(1, "pods")) is None
    for resource in ("secrets", "syncsources"):
        assert f"{resource} is forbidden: User" in (told(FORBIDDEN.format(resource, resource)) or "")
        assert told(FORBIDDEN.format(resource, resource)) is None
    now = AGAIN_AFTER
    assert told(REFUSED.format(9, "secrets")) == first
    assert told("Something else") == "ERROR Something else"
