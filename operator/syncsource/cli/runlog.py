"""What the operator says on a terminal."""

from __future__ import annotations

import logging


class _OfRuns(logging.Filter):
    """Lets through what is said of a SyncSource."""

    def filter(self, record: logging.LogRecord) -> bool:
        return hasattr(record, "source")


def hush_kopf() -> bool:
    """Unless more lines were asked for, kopf's warnings are left out: it tells each time that it runs in a thread, and of every retry."""
    quiet = not logging.getLogger().isEnabledFor(logging.INFO)
    if quiet:
        logging.getLogger("kopf").setLevel(logging.ERROR)
    return quiet


def show_runs() -> None:
    """``12:00:03 default/orders Succeeded: 12 read, …``"""
    handler = logging.StreamHandler()
    handler.addFilter(_OfRuns())
    handler.setFormatter(logging.Formatter("%(asctime)s %(source)s %(message)s", "%H:%M:%S"))
    log = logging.getLogger("syncsource.controller")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    log.propagate = False
