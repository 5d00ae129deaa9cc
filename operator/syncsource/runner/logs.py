"""Log lines: as JSON or as text, with the SyncSource, the run and the worker that they are about.

A worker's lines travel to the operator as messages, so that one process writes the log and one place decides its form.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from syncsource.engine.plan import RunPlan
from syncsource.engine.redacting import redact
from syncsource.errors import outside_text
from syncsource.runner.wire import Logged

LONGEST = 4000
"""Characters of a message in text."""

ABOUT = ("source", "run", "worker")
"""What a line may be about: namespace/name, a run's id, a worker's process id."""

_plan: ContextVar[RunPlan | None] = ContextVar("plan", default=None)


class JsonFormatter(logging.Formatter):
    """``{"time": …, "level": …, "logger": …, "message": …}`` with source, run, worker and trace where they apply."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in ABOUT if (value := getattr(record, name, None)) is not None}
        if trace := _trace(record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """``12:00:03 default/orders Succeeded: 12 read, …``; what is no news is told with its level."""

    def format(self, record: logging.LogRecord) -> str:
        """A line, and the traceback below it."""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        said = [time, getattr(record, "source", None), outside_text(record.getMessage(), LONGEST)]
        if record.levelno != logging.INFO:
            said.insert(1, record.levelname.lower())
        lines = [" ".join(part for part in said if part), *_trace(record).splitlines()]
        return "\n".join(line if line.isprintable() else ascii(line) for line in lines)


def write_log(form: str, level: int) -> None:
    """This process's log, on standard error: ``json`` or ``text``. ``level`` is ours; libraries are heard from WARNING on.

    Not from DEBUG on, whatever is asked for: they would log what they send and receive, Secrets among it.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("syncsource").setLevel(level)
    if level > logging.DEBUG:  # it warns each time that it runs in a thread
        logging.getLogger("kopf").setLevel(logging.ERROR)


class Forwarding(logging.Handler):
    """Hands a worker's records over as messages, without the secrets of the plan that they are about."""

    def __init__(self, send: Callable[[Logged], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        try:
            self._send(self._message(record))
        except Exception:
            self.handleError(record)

    def _message(self, record: logging.LogRecord) -> Logged:
        plan = _plan.get()
        message, trace = record.getMessage(), _trace(record)
        if plan is not None:
            message, trace = redact(message, plan.secrets), redact(trace, plan.secrets)
        source, run = ("/".join(plan.identity.rsplit("/", 2)[1:]), plan.run) if plan is not None else (None, None)
        return Logged(level=record.levelno, logger=record.name, message=message, source=source, run=run, trace=trace)


@contextmanager
def about(plan: RunPlan) -> Iterator[None]:
    """What is logged in this block, and in threads that take its context over, is about this plan."""
    token = _plan.set(plan)
    try:
        yield
    finally:
        _plan.reset(token)


def relay(said: Logged, worker: int) -> None:
    """Log what a worker said, as if it were said here."""
    log = logging.getLogger(said.logger)
    if log.isEnabledFor(said.level):
        told = {"source": said.source, "run": said.run, "worker": worker, "trace": said.trace}
        log.log(said.level, "%s", said.message, extra=told)


def _trace(record: logging.LogRecord) -> str:
    if record.exc_info:
        return logging.Formatter().formatException(record.exc_info)
    return getattr(record, "trace", None) or ""
