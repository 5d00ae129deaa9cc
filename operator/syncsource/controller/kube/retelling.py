"""What kopf tells of its tries, told once: it logs an error for each try of each request while the API server is away."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable

AGAIN_AFTER = 60.0
"""Seconds after which the same failure is told again."""

_MOST = 100
_TRY = re.compile(r"Request attempt \S+ failed; will retry: (\w+) \S+?://[^/]+([^? ]*)\S* -> (\w+)\((.*)\)$", re.DOTALL)
_LOGGERS = ("watching", "fetching", "scanning", "api")


class Retelling(logging.Filter):
    """Lets a failure through once a minute, as a warning that says what is tried."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is news; its text is made readable."""
        found = _TRY.fullmatch(record.getMessage())
        if found is None:
            return True
        verb, path, error, details = found.groups()
        said = details.partition("', {")[0].strip("'") if "Forbidden" in error else error
        record.msg = f"{verb} {path}: {said}; tried again until the API server answers"
        record.args, record.levelno, record.levelname = (), logging.WARNING, "WARNING"
        return self._is_news(said)

    def _is_news(self, failure: str) -> bool:
        now = self._clock()
        if now - self._told.get(failure, float("-inf")) < AGAIN_AFTER:
            return False
        if len(self._told) >= _MOST:
            self._told.clear()
        self._told[failure] = now
        return True


_retelling = Retelling()


def retell() -> None:
    """From now on, in this process."""
    for name in _LOGGERS:
        logging.getLogger(f"kopf._cogs.clients.{name}").addFilter(_retelling)  # adding it twice is adding it once
