"""How often Python looks for garbage in cycles while runs execute."""

import gc
import itertools

RUNS = 50
"""Runs between two looks at everything."""

_ended = itertools.count(1)


def collect_rarely() -> None:
    """Pages are trees of dicts without cycles: looking through them every 700 objects, as Python does, takes a sixth of a run's time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def collect_after_run() -> None:
    """An engine is full of cycles and lives as long as its run: without this, thousands of small runs would cost 200 MB before Python looks."""
    if next(_ended) % RUNS == 0:
        gc.collect()
