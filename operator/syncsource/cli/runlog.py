"""What ``syncsource up`` says on a terminal of what its operator logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import datetime

import click

from syncsource.errors import outside_text
from syncsource.runner.logs import LONGEST, write_log


def show_log(level: int, *, everything: bool) -> Callable[[bytes], None]:
    """Writes this process's log, and takes lines of the operator's: of its news only what becomes of runs, unless ``everything`` is wanted.

    A line that is no JSON is what a library or a dying interpreter wrote: it is shown as it is.
    """
    write_log("text", level)

    def show(line: bytes) -> None:
        record = _record(line)
        if record is None:
            click.echo(outside_text(line.decode(errors="replace"), LONGEST), err=True)
        elif record.levelno >= level and (everything or record.levelno > logging.INFO or _of_runs(record)):
            logging.getLogger(record.name).handle(record)

    return show


def _of_runs(record: logging.LogRecord) -> bool:
    return record.name.startswith("syncsource.controller.") and hasattr(record, "source")


def _record(line: bytes) -> logging.LogRecord | None:
    try:
        said = json.loads(line)
        level = logging.getLevelNamesMapping()[said.pop("level").upper()]
        told = {"name": said.pop("logger"), "msg": said.pop("message"), "created": datetime.fromisoformat(said.pop("time")).timestamp()}
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return logging.makeLogRecord({**told, "levelno": level, "levelname": logging.getLevelName(level), **said})
