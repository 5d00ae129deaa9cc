"""SIGKILL at every failpoint of a run: what it had committed is told as such, what it had not is gone, and all goes on."""

from __future__ import annotations

import random

import psutil
import pytest

from tests.e2e.api import Api
from tests.e2e.cluster import history
from tests.e2e.databases import Warehouse
from tests.e2e.torture.conftest import SOAK, Operators
from tests.e2e.torture.stock import PAGE
from tests.e2e.torture.subject import Subject, subjects

GONE = "the run's process ended, or another operator took over; what it had not committed is gone, and the next run goes on from the cursor"

LOST, KEPT, UNBORN = ["Retry", "Request"], ["Request"], ["Request"]
"""Triggers of the runs that follow a request, newest first: one was tried again, it had committed, it began only after the kill."""

WORKER = [("after-page", 1, LOST), ("after-page", 2, LOST), ("after-stage", 1, LOST), ("before-commit", 1, LOST), ("after-commit", 1, KEPT)]
OPERATOR = [("before-status", 1, UNBORN), ("after-status", 1, LOST), ("before-status", 2, KEPT), ("after-status", 2, KEPT)]
"""Of the operator's status writes the first tells of a run's start, the second of its end."""

KINDS = [("full", False), ("steps", True)]
PLACES = ["full-postgresql", "steps-mariadb", "full-sqlite", "steps-postgresql", "full-mariadb", "steps-sqlite"]


@pytest.fixture(scope="module")
def made(operators: Operators, api: Api, postgresql: Warehouse, mariadb: Warehouse, sqlite: Warehouse) -> dict[str, Subject]:
    """Six SyncSources that have run once."""
    made = {subject.name: subject for subject in subjects([postgresql, mariadb, sqlite], api, KINDS)}
    assert operators.one
    for subject in made.values():
        subject.begin(operators.cluster)
    return made


def everywhere(cases: list[tuple[str, int, list[str]]], first: int = 0) -> list[object]:
    """Each case in one place after the other, from the first on; all cases in all places in a soak."""
    chosen = [(*case, place) for number, case in enumerate(cases, first) for place in (PLACES if SOAK else [PLACES[number % len(PLACES)]])]
    return [pytest.param(*one, id="-".join(map(str, (one[0], one[1], one[3])))) for one in chosen]


@pytest.mark.soak
@pytest.mark.parametrize(("name", "hit", "triggers", "place"), everywhere(WORKER))
def test_worker(name: str, hit: int, triggers: list[str], place: str, made: dict[str, Subject], operators: Operators) -> None:
    [worker] = operators.one.workers
    subject, token = made[place], f"{name}-{hit}-{place}"
    known = _ask(subject, operators, name, hit, token)
    worker.wait(20)
    _survive(subject, operators, known, triggers, token)


@pytest.mark.soak
@pytest.mark.parametrize(("name", "hit", "triggers", "place"), everywhere(OPERATOR, len(WORKER)))
def test_operator(name: str, hit: int, triggers: list[str], place: str, made: dict[str, Subject], operators: Operators) -> None:
    doomed = operators.one
    workers, subject, token = doomed.workers, made[place], f"{name}-{hit}-{place}"
    known = _ask(subject, operators, name, hit, token)
    doomed.process.wait(20)
    _, left = psutil.wait_procs(workers, 10)
    assert not left, "a worker outlived its operator"
    assert operators.one is not doomed
    _survive(subject, operators, known, triggers, token)


def _ask(subject: Subject, operators: Operators, name: str, hit: int, token: str) -> int:
    """A change of several pages, and a request whose run comes to the failpoint. How many runs the ledger knows from before."""
    rng = random.Random(token)
    subject.change(rng)
    subject.stock.change(rng, 3 * PAGE)
    known = len(subject.ledger())
    operators.arm(name, f"kill {hit}")
    operators.cluster.annotate(subject.name, requestedAt=token)
    return known


def _survive(subject: Subject, operators: Operators, known: int, triggers: list[str], token: str) -> None:
    done = subject.rest(operators.cluster, token)
    subject.check_rows()
    subject.check_status(done)
    told = history(done)[: len(triggers)]
    assert [entry["trigger"] for entry in told] == triggers
    assert told[0]["inserted"] + told[0]["updated"] > 0
    assert all((entry["result"], entry["message"]) == ("Interrupted", GONE) for entry in told[1:])
    assert len(subject.ledger()) - known in (1, len(triggers))
    assert not list(operators.failpoints.iterdir())
    subject.change(random.Random(token))
    subject.check_status(subject.finish(operators.cluster, f"{token}-again"))
    subject.check_rows()
