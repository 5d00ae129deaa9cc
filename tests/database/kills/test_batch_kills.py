"""SIGKILL of the process of a run that commits batch by batch, at its failpoints: what it had committed stays and is told as such, and the next run
reads the rest."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from syncsource import failpoints
from syncsource.engine import undoing
from syncsource.engine.executing import execute, settle
from syncsource.engine.plan import Outcome, RunPlan
from syncsource.engine.stopping import Stop
from syncsource.sources.base import Page, Slice
from syncsource.sources.hosts import local_hosts
from tests.database.batches.paged import Paged, batched, history, ids, position, rows
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.kills.rounds import SEEDS
from tests.database.kills.subject import check_images
from tests.database.model import Record

COUNT, PAGE, BATCH = 60, 4, 8
"""Records, of which four are a page, and two pages a batch: eight transactions."""
PLACES = [("after-page", 15), ("after-stage", 8), ("before-commit", 8), ("after-commit", 8)]
"""Failpoints, and how often a whole run comes to each."""
KILLS = 3
"""Of each seed, one after the other, before a run goes through."""

_processes = multiprocessing.get_context("spawn")  # each reads the folder of failpoints from its environment


class _Told(Paged):
    """It tells of each page's first id."""

    def __init__(self, records: Sequence[Record], tell: Callable[[int], object]) -> None:
        super().__init__(records, size=PAGE)
        self._tell = tell

    def pages(self, part: Slice) -> Iterator[Page]:
        for page in super().pages(part):
            self._tell(page.records[0]["id"])
            yield page


def _executed(plan: RunPlan, records: Sequence[Record], waits: bool, tell: Callable[[int], object]) -> Outcome:
    upstream, stop = _Told(records, tell), Stop()
    upstream.waits = waits
    return execute(plan, hosts=local_hosts(stop.event), stop=stop, progress=lambda _: None, opened=lambda _, __: upstream)


def _execute(plan: RunPlan, records: Sequence[Record], waits: bool, told: Connection) -> None:
    told.send(_executed(plan, records, waits, told.send))


def _run_on(plan: RunPlan, records: Sequence[Record], *, waits: bool) -> tuple[Outcome, list[int]]:
    """A run that nobody kills, and the first ids of its pages."""
    pages: list[int] = []
    return _executed(plan, records, waits, pages.append), pages


def _run(plan: RunPlan, records: Sequence[Record], *, waits: bool) -> tuple[Outcome | None, list[int]]:
    """What a run tells that a process of its own executes, None where that was killed; and the first ids of the pages that it was sent."""
    here, there = _processes.Pipe(duplex=False)
    process = _processes.Process(target=_execute, args=(plan, records, waits, there), daemon=True)
    process.start()
    there.close()
    outcome, pages = None, []
    try:
        while outcome is None:
            assert here.poll(60), "the run does not end"
            item = here.recv()
            outcome = item if isinstance(item, Outcome) else pages.append(item)
    except EOFError:
        pass
    finally:
        process.kill()
        process.join()
        here.close()
    return outcome, pages


@pytest.fixture
def armed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of failpoints, which runs are told of."""
    folder = tmp_path / "failpoints"
    folder.mkdir()
    monkeypatch.setenv(failpoints.VARIABLE, str(folder))
    return folder


@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("name", ["after-commit", "before-commit"])
def test_killed_between_batches(place: Place, armed: Path, name: str, waits: bool) -> None:
    """At the third transaction, before and after it is committed."""
    engine, plan = batched(place, safety={"batchRows": BATCH, "undo": {"keep": "14d"}}), None
    (armed / name).write_text("kill 3")
    plan = engine.plan()
    killed, _ = _run(plan, rows(COUNT), waits=waits)
    committed = BATCH * (3 if name == "after-commit" else 2)
    assert (killed, ids(engine)) == (None, list(range(1, committed + 1)))
    told = settle(plan)
    assert (told.result, told.counts.inserted, history(engine)[0].inserted) == ("Interrupted", committed, committed)
    outcome, pages = _run_on(engine.plan(), rows(COUNT), waits=waits)
    assert (outcome.result, outcome.full, outcome.counts.inserted, pages[0]) == ("Succeeded", True, COUNT - committed, committed + 1)
    assert (ids(engine), position(engine), engine.cursor()) == (list(range(1, COUNT + 1)), None, COUNT)


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", SEEDS)
def test_killed_again_and_again(seed: int, place: Place, armed: Path) -> None:
    rng = random.Random(f"{place.kind}-{seed}-batches")
    engine, records, there = batched(place, safety={"batchRows": BATCH, "undo": {"keep": "14d"}}), rows(COUNT), 0
    for _ in range(KILLS):
        name, hits = rng.choice(PLACES)
        (armed / name).write_text(f"kill {rng.randint(1, max(1, hits * (COUNT - there) // COUNT))}")
        there = _killed(engine, records, there, waits=rng.random() < 0.5)
        (armed / name).unlink(missing_ok=True)
    outcome, pages = _run_on(engine.plan(), records, waits=True)
    assert (outcome.result, ids(engine), position(engine)) == ("Succeeded", list(range(1, COUNT + 1)), None)
    assert engine.cursor() == COUNT
    assert there == COUNT or pages[0] == there + 1
    assert sum(run.inserted for run in history(engine)) == COUNT
    _undo_all(engine)


def _killed(engine: Engine, records: Sequence[Record], before: int, *, waits: bool) -> int:
    """How many rows are there after a run that is killed, or comes to its end first."""
    plan = engine.plan()
    outcome, pages = _run(plan, records, waits=waits)
    there, told = ids(engine), outcome or settle(plan)
    assert there == list(range(1, len(there) + 1))
    assert (told.counts.inserted, history(engine)[0].run) == (len(there) - before, plan.run)
    assert history(engine)[0].inserted == len(there) - before
    whole = told.result == "Succeeded" or before == COUNT
    assert whole == (engine.cursor() == COUNT)
    assert len(there) % BATCH == 0 or whole
    kept = position(engine)
    assert (kept is None) == (whole or not there)
    assert not pages or before == COUNT or pages[0] == before + 1, "what was committed was read again"
    check_images(engine.place)
    return len(there)


def _undo_all(engine: Engine) -> None:
    """Each run with all its batches, the last one first."""
    for one in undoing.listed(engine.plan()):
        outcome, done = undoing.undo(engine.plan(), one.record.run, Stop())
        assert (outcome.result, done and done.left) == ("Succeeded", 0)
    assert ids(engine) == []
