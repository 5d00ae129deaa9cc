"""SIGKILL at random instants, for a worker, the operator and the whole tree: nothing is lost, doubled, untold or stuck.

What is drawn follows from the seed; what had been drawn is printed where a test fails.
"""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.e2e.api import Api
from tests.e2e.databases import Warehouse
from tests.e2e.torture.conftest import SOAK
from tests.e2e.torture.killing import VICTIMS, Tree, instant
from tests.e2e.torture.subject import Subject, subjects

SEEDS = range(20 if SOAK else 1)
KILLS = 15 if SOAK else 6
"""Of each seed, a third each for a worker, the operator and the tree. Runs are killed without all of these around them in tests/database/kills."""

HITS = KILLS // 4
"""Of these at least so many interrupt a run: else the instants would be badly drawn."""


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", SEEDS)
def test_any_instant(seed: int, api: Api, postgresql: Warehouse, mariadb: Warehouse, sqlite: Warehouse, tmp_path: Path) -> None:
    rng = random.Random(seed)
    with Tree(tmp_path, workers=1 + seed % 2) as tree:
        made = _made(seed, [postgresql, mariadb, sqlite], api)
        for subject in made:
            subject.begin(tree.product.cluster)
        for number in range(KILLS // len(VICTIMS)):
            for victim in rng.sample(VICTIMS, len(VICTIMS)):
                _kill(tree, rng, made, victim, f"{seed}-{number}-{victim}")
        interrupted = sum(run["result"] == "Interrupted" for subject in made for run in subject.ledger())
        assert interrupted >= HITS


def _made(seed: int, warehouses: list[Warehouse], api: Api) -> list[Subject]:
    """Two or three in each database; but for a soak one, and in one of the databases two."""
    kinds = [("steps", True), ("full", False), ("more", True)][: 2 + seed % 2]
    made = subjects(warehouses, api, [(f"{kind}-{seed}", incremental) for kind, incremental in kinds])
    return [one for one in made if SOAK or one.name.startswith("steps") or one.warehouse is warehouses[seed % 3]]


def _kill(tree: Tree, rng: random.Random, made: list[Subject], victim: str, token: str) -> None:
    """One kill in the midst of runs of all, and the way back."""
    for subject in made:
        subject.change(rng)
    before, after = [subject.state() for subject in made], [subject.wanted() for subject in made]
    pages = made[0].stock.pages
    served, doomed = pages.served, tree.victims(victim, rng)
    when = instant(rng, victim, sum(1 if subject.incremental else subject.pages for subject in made))
    print(token, when, f"{len(doomed)} processes", flush=True)
    for subject in made:
        tree.product.cluster.annotate(subject.name, requestedAt=token)
    when.wait(pages, served)
    for process in doomed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for subject, *whole in zip(made, before, after, strict=True):
        subject.check_whole(*whole)
    _go_on(tree, rng, made, victim, token)


def _go_on(tree: Tree, rng: random.Random, made: list[Subject], victim: str, token: str) -> None:
    """What was killed comes back; the source goes on changing, at times only once all is at rest again."""
    by_itself = rng.random() < 0.3
    if victim == "tree":
        tree.start_again()
    if by_itself:
        for subject in made:
            subject.rest(tree.product.cluster, token)
    for subject in made:
        subject.change(rng)
    for subject in made:
        tree.product.cluster.annotate(subject.name, requestedAt=f"{token}-again")
    for subject in made:
        done = subject.rest(tree.product.cluster, f"{token}-again")
        subject.check_rows()
        subject.check_status(done)
