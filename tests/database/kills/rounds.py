"""Runs that are killed at a random instant, and what follows, again and again: rows, cursor, what is kept for undo and for merging, and what the
ledger and the outcome tell are those of whole runs; the next run does what is left to do.

What is drawn follows from the seed; how long a run takes, of which an instant is a part, is measured.
"""

from __future__ import annotations

import os
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from statistics import median

from syncsource import ledger
from syncsource.engine.executing import settle
from syncsource.engine.plan import Outcome
from tests.database.conftest import Place
from tests.database.kills.running import Pages, Run
from tests.database.kills.subject import State, Subject, check_images

SOAK = bool(os.environ.get("SYNCSOURCE_TEST_SOAK"))
SEEDS = range(10 if SOAK else 1)
FRESH = 5
"""Rounds after which other subjects take their places: the first run of a table makes the tables of ours beside it."""

_FIRST = 0.3
"""Seconds that runs are thought to take until some have."""


class Rounds:
    """Two subjects at a time, one that is updated and one that is merged, whose runs are killed together. ``kill`` takes the runs, and returns once
    the database is there to be looked at."""

    def __init__(self, place: Place, seed: str, kill: Callable[[Sequence[Run]], None]) -> None:
        self._place, self._kill, self._rng = place, kill, random.Random(seed)
        self._lasted = deque([_FIRST], maxlen=FRESH)
        self.there, self.lost = 0, 0
        """Runs that had committed, and that had not."""

    def play(self, count: int) -> None:
        """So many rounds."""
        ledger.prepare(self._place.database.engine)
        subjects: list[Subject] = []
        for number in range(count):
            if number % FRESH == 0:
                kinds = {"updated": False, "merged": True}
                subjects = [Subject(self._place, f"{kind}_{number}", merge=merge) for kind, merge in kinds.items()]
            self._round(subjects)

    def _round(self, subjects: Sequence[Subject]) -> None:
        for subject in subjects:
            subject.change(self._rng)
        before = [subject.state() for subject in subjects]
        outcomes = self._killed(subjects)
        there = [
            subject.check_whole(state, outcome.run, outcome) for subject, state, outcome in zip(subjects, before, outcomes, strict=True)
        ]
        self.there, self.lost = self.there + sum(there), self.lost + len(there) - sum(there)
        check_images(self._place)
        for subject, idle, outcome in zip(subjects, there, self._whole(subjects), strict=True):
            subject.check_done(outcome, idle=idle)
        if self._rng.random() < 0.5:
            self._undo(subjects, before)

    def _undo(self, subjects: Sequence[Subject], before: Sequence[State]) -> None:
        """What the last runs did is taken back, and done again."""
        for subject, state in zip(subjects, before, strict=True):
            subject.check_undo(state)
        for subject, outcome in zip(subjects, self._whole(subjects), strict=True):
            subject.check_done(outcome, idle=False)
        check_images(self._place)

    def _killed(self, subjects: Sequence[Subject]) -> list[Outcome]:
        """What is told of runs that are killed: by themselves, or as the ledger has it where they are no more."""
        early, part = self._rng.random() < 0.2, self._rng.uniform(0, 0.8)
        pages, whole = Pages(), median(self._lasted)
        runs = self._begun(subjects, pages)
        if not early:
            assert pages.wait()
        time.sleep(part * whole)
        self._kill(runs)
        return [run.outcome() or settle(run.plan) for run in runs]

    def _whole(self, subjects: Sequence[Subject]) -> list[Outcome]:
        """Runs that nobody kills."""
        pages = Pages()
        runs = self._begun(subjects, pages)
        assert pages.wait()
        began = time.monotonic()
        outcomes = [outcome for run in runs if (outcome := run.outcome())]
        self._lasted.append(time.monotonic() - began)
        return outcomes

    def _begun(self, subjects: Sequence[Subject], pages: Pages) -> list[Run]:
        """One of each. At times everything is read anew, and at times rows are staged page by page."""
        rng = self._rng
        return [Run(subject.engine.plan(full=rng.random() < 0.3), subject.records, pages, waits=rng.random() < 0.5) for subject in subjects]
