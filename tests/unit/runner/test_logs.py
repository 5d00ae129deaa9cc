"""Log lines: what they say, and that each is one line whatever it is given."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from syncsource.engine.plan import RunPlan
from syncsource.runner.logs import Forwarding, JsonFormatter, TextFormatter, about, relay
from syncsource.runner.wire import Logged

NASTY = "a\nb\r\x1b]52;c;Zm9v\x07\u2028\udc80\u202e"


def record(message: str, level: int = logging.INFO, **told: Any) -> logging.LogRecord:
    return logging.makeLogRecord(
        {"name": "syncsource.x", "levelno": level, "levelname": logging.getLevelName(level), "msg": message, **told}
    )


def test_json_names_what_it_is_about() -> None:
    line = JsonFormatter().format(record("done", source="default/orders", run="r1", worker=12, created=1767225600.25))
    assert json.loads(line) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "info",
        "logger": "syncsource.x",
        "message": "done",
        "source": "default/orders",
        "run": "r1",
        "worker": 12,
    }


def test_json_is_one_line_of_valid_text() -> None:
    line = JsonFormatter().format(record(NASTY)).encode("utf-8", "backslashreplace").decode()
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == NASTY


def test_json_has_the_traceback() -> None:
    try:
        raise ValueError("why")
    except ValueError:
        line = json.loads(JsonFormatter().format(record("failed", logging.ERROR, exc_info=sys.exc_info())))
    assert line["trace"].endswith("ValueError: why")


def test_text_tells_the_level_of_what_is_no_news() -> None:
    form = TextFormatter()
    assert form.format(record("done", source="default/orders"))[9:] == "default/orders done"
    assert form.format(record("beware", logging.WARNING, trace="Traceback"))[9:] == "warning beware\nTraceback"


def test_text_reaches_no_terminal_as_a_command() -> None:
    said = TextFormatter().format(record(NASTY, trace="x\x1b[2J\ny"))
    assert [line.isprintable() for line in said.splitlines()] == [True] * 3


def test_a_workers_line_tells_its_run_and_no_secret() -> None:
    plan = RunPlan(run="r1", identity="cluster/default/orders", trigger="Request", spec={}, secrets={"db": {"url": "x://u:hunter22@h"}})
    sent: list[Logged] = []
    with logged_to(Forwarding(sent.append)) as log, about(plan):
        log.warning("refused hunter22 by %s", "h")
        log.debug("not asked for")
    assert sent == [Logged(level=logging.WARNING, logger=log.name, message="refused *** by h", source="default/orders", run="r1")]


def test_relayed_as_if_said_here() -> None:
    heard: list[logging.LogRecord] = []
    with logged_to(Heard(heard)) as log:
        relay(Logged(level=logging.INFO, logger=log.name, message="100 % %s", source="a/b", run="r1"), 7)
        relay(Logged(level=logging.DEBUG, logger=log.name, message="not asked for"), 7)
    assert [(one.getMessage(), one.source, one.run, one.worker) for one in heard] == [("100 % %s", "a/b", "r1", 7)]  # type: ignore[attr-defined]


class Heard(logging.Handler):
    """Keeps what it is given."""

    def __init__(self, heard: list[logging.LogRecord]) -> None:
        super().__init__()
        self.heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)


@contextmanager
def logged_to(handler: logging.Handler) -> Iterator[logging.Logger]:
    """A logger of its own that INFO passes."""
    log = logging.getLogger("test.logs")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)
    try:
        yield log
    finally:
        log.removeHandler(handler)
