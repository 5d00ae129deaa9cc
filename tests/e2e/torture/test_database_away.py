"""The database is stopped, killed or locked in mid-run: status says why, and all goes on by itself once it is back."""

from __future__ import annotations

import random
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.api import Api
from tests.e2e.cluster import Object, condition, history
from tests.e2e.databases import Warehouse, opened
from tests.e2e.torture.conftest import SOAK, Operators, soak_only
from tests.e2e.torture.stock import PAGE
from tests.e2e.torture.subject import Subject, subjects
from tests.e2e.torture.waiting import stopped
from tests.postgres import Server, serving

MODES = ["fast", "immediate", "kill"]
MOMENTS = ["after-page", "after-stage", "before-commit"]
CASES = [(mode, moment) for mode in MODES for moment in MOMENTS] if SOAK else [("fast", "after-page"), ("kill", "before-commit")]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def warehouse(server: Server) -> Iterator[Warehouse]:
    with opened("postgresql", server.uri) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def subject(operators: Operators, api: Api, warehouse: Warehouse) -> Subject:
    [subject] = subjects([warehouse], api, [("away", True)])
    assert operators.one
    subject.begin(operators.cluster)
    return subject


@pytest.mark.soak
@pytest.mark.parametrize(("mode", "moment"), CASES)
def test_the_server_stops_in_mid_run(mode: str, moment: str, subject: Subject, server: Server, operators: Operators) -> None:
    rng, token = random.Random(f"{mode}-{moment}"), f"{mode}-{moment}"
    [worker] = operators.one.workers
    before = _change(subject, rng)
    operators.arm(moment, "stop")
    operators.cluster.annotate(subject.name, requestedAt=token)
    stopped(worker)
    subject.warehouse.engine.dispose()
    server.stop(mode)
    worker.send_signal(signal.SIGCONT)
    told = operators.cluster.wait(subject.name, lambda source: _failed_since(source, before))
    ready = condition(told, "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "DatabaseUnavailable")
    assert "check that it runs, and the Secret of spec.destination.sql.urlFrom" in ready["message"]
    assert condition(told, "Syncing")["reason"] in ("BackingOff", "Running")
    operators.cluster.wait(subject.name, lambda source: source["status"]["consecutiveFailures"] >= 2)
    server.start()
    done = subject.rest(operators.cluster, token)
    subject.check_rows()
    subject.check_status(done)
    assert {entry["reason"] for entry in history(done) if entry["result"] == "Failed"} == {"DatabaseUnavailable"}


def _change(subject: Subject, rng: random.Random) -> str:
    """Several pages of changes. The last run that is known."""
    subject.stock.change(rng, 3 * PAGE)
    subject.edit(rng)
    return str(subject.ledger()[0]["run"])


def _failed_since(source: Object, run: str) -> bool:
    return condition(source, "Ready").get("status") == "False" and history(source)[0]["id"] > run


def test_a_short_lock_is_waited_for(operators: Operators, api: Api, sqlite: Warehouse) -> None:
    [subject] = subjects([sqlite], api, [("short-lock", True)])
    subject.begin(operators.cluster) if operators.one else None
    subject.stock.change(random.Random(1), PAGE)
    with sqlite.engine.connect() as somebody:
        somebody.exec_driver_sql("BEGIN IMMEDIATE")
        served = subject.stock.pages.served
        operators.cluster.annotate(subject.name, requestedAt="one")
        operators.cluster.wait(subject.name, lambda source: "currentRun" in source["status"])
        somebody.exec_driver_sql("ROLLBACK")
    done = subject.rest(operators.cluster, "one")
    assert subject.stock.pages.served > served
    assert history(done)[0]["trigger"] == "Request"
    subject.check_rows()
    subject.check_status(done)


@soak_only
@pytest.mark.soak
def test_a_long_lock_is_told_of(operators: Operators, api: Api, sqlite: Warehouse) -> None:
    """A run waits half a minute for it."""
    [subject] = subjects([sqlite], api, [("long-lock", True)])
    subject.begin(operators.cluster) if operators.one else None
    subject.stock.change(random.Random(1), PAGE)
    with sqlite.engine.connect() as somebody:
        somebody.exec_driver_sql("BEGIN IMMEDIATE")
        operators.cluster.annotate(subject.name, requestedAt="one")
        told = operators.cluster.wait(subject.name, lambda source: condition(source, "Ready")["status"] == "False", seconds=60)
        somebody.exec_driver_sql("ROLLBACK")
    ready = condition(told, "Ready")
    assert ready["reason"] == "DatabaseBusy"
    assert ready["message"].endswith("database is locked: another program holds its lock")
    done = subject.rest(operators.cluster, "one")
    subject.check_rows()
    subject.check_status(done)
