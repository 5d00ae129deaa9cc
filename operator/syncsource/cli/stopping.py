"""Ctrl-C and SIGTERM stop what a command does, and let it say so."""

from __future__ import annotations

import os
import signal

from syncsource.engine.stopping import Stop

STANDARD_ERROR = 2
STOPPING = b"stopping; once more ends it at once\n"


def stopped_by_signals() -> Stop:
    """A stop that SIGINT and SIGTERM set. A second one ends the program, whatever it waits for."""
    stop = Stop()

    def first(number: int, _: object) -> None:
        signal.signal(number, signal.default_int_handler)
        os.write(STANDARD_ERROR, STOPPING)  # a signal may come in the middle of a buffered write
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, first)
    return stop
