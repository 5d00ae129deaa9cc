"""Whatever happens to the records while they are read page by page: runs end with exactly the source's rows.

Ties, equal cursors, late rows within the lookback, edits, inserts between two pages, any size of page.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncsource.engine.plan import Counts
from tests.reading.stage import Play, Theatre, record
from tests.upstream import KINDS, Asked, Kind, Record, Reply

EXAMPLES = 1000 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 10
BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
LOOKBACK = 3


@dataclass(frozen=True)
class Change:
    """What happens upstream: the clock goes on by ``seconds``, then a record comes, comes late, or is edited."""

    what: str
    seconds: int
    which: int


changes = st.builds(Change, st.sampled_from(["insert", "late", "edit"]), st.integers(0, 5), st.integers(0, 9))
between = st.lists(changes, max_size=2)
reads = st.lists(st.tuples(between, st.lists(between, max_size=4)), min_size=1, max_size=3)
"""For each run: what happens before it, and what happens after each of its pages."""


class World:
    """Records, and a clock of whole seconds that goes on only when something happens."""

    def __init__(self, seconds: Sequence[int]) -> None:
        self.now = max(seconds, default=0)
        self.records: list[Record] = [self._new(number, second) for number, second in enumerate(seconds, 1)]

    def happen(self, change: Change, *, only_inserts: bool) -> None:
        """Where records that move would take another's place, they are only added to the end."""
        self.now += change.seconds
        if change.what == "edit" and self.records and not only_inserts:
            edited = self.records[change.which % len(self.records)]
            edited |= {"name": f"edited at {self.now}", "changed": self._instant(self.now)}
        else:
            late = min(change.which % (LOOKBACK + 1), self.now) if change.what == "late" and not only_inserts else 0
            self.records.append(self._new(len(self.records) + 1, self.now - late))

    def date(self) -> str:
        """Its clock, as the Date header has it."""
        return format_datetime(BEGIN + timedelta(seconds=self.now), usegmt=True)

    def _new(self, number: int, second: int) -> Record:
        return record(number, 0, changed=self._instant(second))

    def _instant(self, second: int) -> str:
        return (BEGIN + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")


@pytest.mark.soak
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(kind=KINDS[3], size=1, seconds=[0, 1, 2, 3, 4], reads=[([], [[], [], [Change("late", 0, 3)], [Change("insert", 5, 0)]])])
@given(kind=st.sampled_from(KINDS), size=st.integers(1, 4), seconds=st.lists(st.integers(0, 4), max_size=8), reads=reads)
def test_repeated_runs_end_with_exactly_the_source_s_rows(
    kind: Kind, size: int, seconds: list[int], reads: list[tuple[list[Change], list[list[Change]]]], stage: Theatre
) -> None:
    """A late row with a cursor equal to the last one; more ties than a page holds; the cursor later than the run's start."""
    world = World(seconds)
    play = stage.play(kind, incremental={"cursor": "changed", "param": "since", "lookback": f"{LOOKBACK}s"})
    play.collection.size, play.collection.records = size, world.records
    for before, pages in reads:
        for change in before:
            world.happen(change, only_inserts=False)
        _read(play, world, pages)
    _read(play, world, [])
    assert play.table.rows() == play.wanted()
    again = _read(play, world, [])
    assert (again.inserted, again.updated) == (0, 0)


def _read(play: Play, world: World, pages: list[list[Change]]) -> Counts:
    """A run; after each page that was served something happens."""
    left = list(pages)

    def moving(number: int, honest: Reply, asked: Asked) -> Reply:
        sent = Reply(honest.content, headers={**honest.headers, "Date": world.date()})
        for change in left.pop(0) if left else []:
            world.happen(change, only_inserts=play.kind.counts)
        return sent

    play.collection.spoil = moving
    outcome = play.run()
    assert outcome.result == "Succeeded", outcome.message
    return outcome.counts
