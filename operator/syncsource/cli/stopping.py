"""Ctrl-C and SIGTERM stop what a command does, and let it say so."""

from __future__ import annotations

import signal

from syncsource.engine.stopping import Stop


def stopped_by_signals() -> Stop:
    """A stop that SIGINT and SIGTERM set."""
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
    return stop
