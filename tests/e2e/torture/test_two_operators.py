"""Two operators on one SyncSource: the first is stopped before its commit, and goes on after the second has committed."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator, Sequence
from dataclasses import replace

import psutil
import pytest

from tests.e2e.api import Api
from tests.e2e.cluster import history
from tests.e2e.databases import Warehouse
from tests.e2e.product import Product
from tests.e2e.torture.conftest import SOAK, Operators, soak_only
from tests.e2e.torture.killing import instant
from tests.e2e.torture.stock import PAGE
from tests.e2e.torture.subject import Subject, subjects
from tests.e2e.torture.waiting import log_line, stopped

LOST = "the run's process ended, or another operator took over; what it had not committed is gone, and the next run goes on from the cursor"
REASONS = ("Fenced: another run of this SyncSource took over: nothing of this one was committed", "Cancelled: the run was cancelled")
"""How the first's run ends: at the fence, or before it gets there, since the first operator has seen that another took over."""


@pytest.fixture(autouse=True)
def alone(operators: Operators) -> Iterator[None]:
    """One operator is left for the next test."""
    yield
    operators.close(but_last=True)


@pytest.fixture
def subject(request: pytest.FixtureRequest, operators: Operators, api: Api, warehouse: Warehouse) -> Iterator[Subject]:
    """A SyncSource that has run once, in a cluster with one operator: incremental in PostgreSQL, full in SQLite."""
    name = f"two-{request.node.originalname.rpartition('_')[2]}"
    [subject] = subjects([warehouse], api, [(name, warehouse.kind == "postgresql")])
    assert operators.one
    subject.begin(operators.cluster)
    yield subject
    subject.stock.release()


def test_stopped_worker(subject: Subject, operators: Operators) -> None:
    first = operators.one
    run = _ask(subject, operators, "after-stage", first.workers)
    _take_over(subject, operators, run)
    _go_on(subject, operators, first, first.workers, run)


def test_stopped_between_write_and_commit(operators: Operators, api: Api, postgresql: Warehouse) -> None:
    """Its locks keep the second operator out until the server ends its transaction, here after two seconds."""
    impatient = f"{postgresql.url}%20-cidle_in_transaction_session_timeout=2s"
    [subject] = subjects([replace(postgresql, url=impatient)], api, [("two-locked", True)])
    first = operators.one
    subject.begin(operators.cluster)
    processes = first.workers
    run = _ask(subject, operators, "before-commit", processes)
    _take_over(subject, operators, run)
    _go_on(subject, operators, first, processes, run)


@soak_only
@pytest.mark.soak
def test_stopped_operator(subject: Subject, operators: Operators) -> None:
    first = operators.one
    processes = [psutil.Process(first.process.pid), *first.workers]
    subject.stock.hold()
    run = _ask(subject, operators, "", [])
    assert subject.stock.held.wait(20)
    for process in processes:
        process.suspend()
        stopped(process)
    subject.stock.release()
    _take_over(subject, operators, run)
    _go_on(subject, operators, first, processes, run)


def _ask(subject: Subject, operators: Operators, failpoint: str, processes: Sequence[psutil.Process]) -> str:
    """Several pages of changes, and a request. The id of its run, when it has stopped these processes."""
    subject.stock.change(random.Random(1), 3 * PAGE)
    subject.stock.add(5)
    if failpoint:
        operators.arm(failpoint, "stop")
    operators.cluster.annotate(subject.name, requestedAt="one")
    begun = operators.cluster.wait(subject.name, lambda source: "currentRun" in source["status"])
    for process in processes:
        stopped(process)
    return str(begun["status"]["currentRun"]["id"])


def _take_over(subject: Subject, operators: Operators, run: str) -> None:
    """A second operator finds the run that was left behind, takes its right to commit, and commits one of its own."""
    operators.start()
    done = subject.rest(operators.cluster, "one")
    subject.check_rows()
    subject.check_status(done)
    assert [(one["trigger"], one["result"]) for one in history(done)[:2]] == [("Retry", "Succeeded"), ("Request", "Interrupted")]
    assert (history(done)[1]["id"], history(done)[1]["message"]) == (run, LOST)


def _go_on(subject: Subject, operators: Operators, first: Product, processes: Sequence[psutil.Process], run: str) -> None:
    """What was stopped goes on: it writes nothing, says why, and leaves status as the second wrote it."""
    before, told = subject.state(), operators.cluster.get(subject.name)["status"]
    for process in processes:
        process.send_signal(signal.SIGCONT)
    line = log_line(first, lambda line: line.get("run") == run and line["message"] in REASONS)
    assert line["source"] == f"default/{subject.name}"
    operators.cluster.wait_event(subject.name, "TakenOver")
    assert subject.state() == before
    assert [(one["run"], one["result"], one["message"]) for one in subject.ledger()[1:2]] == [(run, "Interrupted", LOST)]
    assert operators.cluster.get(subject.name)["status"] == told
    subject.change(random.Random(2))
    done = subject.finish(operators.cluster, "two")
    subject.check_rows()
    subject.check_status(done)


@soak_only
@pytest.mark.soak
@pytest.mark.parametrize("seed", range(30 if SOAK else 1))
def test_stopped_at_any_instant(seed: int, operators: Operators, api: Api, postgresql: Warehouse) -> None:
    """The first operator and its worker, of two SyncSources; what they do when they go on does no harm."""
    rng, impatient = random.Random(seed), f"{postgresql.url}%20-cidle_in_transaction_session_timeout=2s"
    made = subjects([replace(postgresql, url=impatient)], api, [(f"any-{seed}", True), (f"full-{seed}", False)])
    first = operators.one
    for subject in made:
        subject.begin(operators.cluster)
        subject.stock.change(rng, 3 * PAGE)
    processes, pages = [psutil.Process(first.process.pid), *first.workers], made[0].stock.pages
    when, served = instant(rng, "operator", 2 + made[1].pages), pages.served
    print(seed, when)
    _ask_all(made, operators, "one")
    when.wait(pages, served)
    for process in processes:
        process.suspend()
    second = operators.start()
    log_line(second, lambda line: line["message"].startswith("looking after"))
    _all_well(made, operators, "one")
    for process in processes:
        process.resume()
    for token in ("two", "three"):
        for subject in made:
            subject.change(rng)
        _ask_all(made, operators, token)
        _all_well(made, operators, token)
    operators.close()
    for subject in made:
        subject.check_rows()
        subject.check_status(operators.cluster.get(subject.name))


def _ask_all(made: Sequence[Subject], operators: Operators, token: str) -> None:
    for subject in made:
        operators.cluster.annotate(subject.name, requestedAt=token)


def _all_well(made: Sequence[Subject], operators: Operators, token: str) -> None:
    for subject in made:
        done = subject.rest(operators.cluster, token)
        subject.check_rows()
        subject.check_status(done)
