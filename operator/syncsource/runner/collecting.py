"""How often Python looks for garbage in cycles while runs execute."""

import gc


def collect_rarely() -> None:
    """Pages are trees of dicts without cycles: looking through them every 700 objects, as Python does, takes a sixth of a run's time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
