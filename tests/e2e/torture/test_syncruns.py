"""SyncRuns while processes are killed, stopped and started again: nothing is done twice, nothing is done unseen, nothing is forgotten."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from zlib import crc32

import psutil
import pytest

from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Object, history
from tests.e2e.databases import Warehouse
from tests.e2e.product import ENDS_WITHIN, environment
from tests.e2e.scene import Scene
from tests.e2e.syncruns.kube import Kubectl
from tests.e2e.torture.conftest import SOAK, Operators
from tests.e2e.torture.waiting import log_line, stopped

LEFT = "The operator ended in mid-action. It is not done again by itself: create another SyncRun."
UNDO = {"undo": {"keep": "14d"}}
KINDS = ("postgresql", "mariadb", "sqlite")

pytestmark = pytest.mark.soak


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each test on every database in a soak, else on one of them, in turn."""
    if "scene" in metafunc.fixturenames:
        turn = crc32(metafunc.function.__name__.encode()) % len(KINDS)
        metafunc.parametrize("warehouse", KINDS if SOAK else [KINDS[turn]], indirect=True)


@pytest.fixture(autouse=True)
def alone(operators: Operators) -> Iterator[None]:
    yield
    operators.close(but_last=True)


@pytest.fixture
def kubectl(operators: Operators) -> Kubectl:
    return Kubectl(operators.cluster)


@pytest.fixture
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    found: Warehouse = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def scene(request: pytest.FixtureRequest, operators: Operators, api: Api, warehouse: Warehouse) -> Scene:
    """A SyncSource whose second run changed 3 rows."""
    return _scene(request.node.originalname, operators, api, warehouse)


def _scene(test: str, operators: Operators, api: Api, warehouse: Warehouse) -> Scene:
    name = f"sr-{test.removeprefix('test_').replace('_', '-')[:40]}-{warehouse.kind}"
    scene = Scene(name, operators.cluster, api, Orders(250), warehouse)
    api.routes[scene.path] = scene.orders
    assert operators.one
    scene.apply(safety=UNDO)
    scene.request("1")
    for number in (0, 1, 2):
        scene.orders.records[number]["total"] = "777.00"
    scene.request("2")
    return scene


def changed(scene: Scene) -> int:
    """How many rows are as the second run left them."""
    return sum(row[2] == "777.00" for row in scene.rows())


def over(held: Object) -> bool:
    return held.get("status", {}).get("phase") in ("Succeeded", "Failed")


def ended(scene: Scene, name: str) -> Object:
    held: Object = scene.cluster.wait(name, over, kind="SyncRun", seconds=60)["status"]
    return held


def ledger(scene: Scene, run: str) -> list[tuple[Any, ...]]:
    return scene.warehouse.sql(f"SELECT \"trigger\", result FROM syncsource_runs WHERE run = '{run}'")


@contextmanager
def dying(operators: Operators) -> Iterator[None]:
    """The operator comes to a failpoint by what is asked for in the block; its workers go with it."""
    operator, workers = operators.one, operators.one.workers
    yield
    operator.process.wait(30)
    _, left = psutil.wait_procs(workers, ENDS_WITHIN)
    assert not left


def test_killed_when_it_had_begun(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    """The beginning is written, nothing else: the ledger, which knows nothing of it, takes its right to begin."""
    with dying(operators):
        operators.arm("after-status", "kill 1")
        name = kubectl.ask(scene.name, "Undo")
    assert kubectl.status(name)["phase"] == "Running"
    assert operators.one
    status = ended(scene, name)
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "Interrupted", LEFT)
    assert (changed(scene), ledger(scene, status["run"])) == (3, [("Undo", "Interrupted")])
    assert kubectl.complete(scene.name, "Undo")["result"]["undone"]["restored"] == 3
    assert changed(scene) == 0


def test_killed_when_it_was_done_and_not_told(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    with dying(operators):
        operators.arm("before-status", "kill 2")
        name = kubectl.ask(scene.name, "Undo")
    assert (kubectl.status(name)["phase"], changed(scene)) == ("Running", 0)
    assert operators.one
    status = ended(scene, name)
    assert (status["phase"], status["result"]["counts"]["updated"]) == ("Succeeded", 3)
    assert ledger(scene, status["run"]) == [("Undo", "Succeeded")]
    undone = scene.warehouse.sql(f"SELECT count(*) FROM syncsource_runs WHERE identity LIKE '%/{scene.name}' AND \"trigger\" = 'Undo'")
    assert undone == [(1,)]


@pytest.mark.parametrize(("place", "phase", "left"), [("before-commit", "Failed", 3), ("after-commit", "Succeeded", 0)])
def test_worker_killed(place: str, phase: str, left: int, scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    operators.arm(place, "kill")
    status = ended(scene, kubectl.ask(scene.name, "Undo"))
    assert (status["phase"], changed(scene)) == (phase, left)
    assert status["reason"] == ("Interrupted" if left else "Succeeded")


def test_worker_that_outlives_its_operator_can_not_commit(operators: Operators, api: Api, postgresql: Warehouse, kubectl: Kubectl) -> None:
    impatient = replace(postgresql, url=f"{postgresql.url}%20-cidle_in_transaction_session_timeout=2s")
    scene, first = _scene("outlives", operators, api, impatient), operators.one
    [worker] = first.workers
    operators.arm("before-commit", "stop")
    name = kubectl.ask(scene.name, "Undo")
    stopped(worker)
    first.process.kill()
    first.process.wait()
    assert operators.one is not first
    assert ended(scene, name)["reason"] == "Interrupted"
    worker.resume()
    worker.wait(ENDS_WITHIN)
    assert changed(scene) == 3


def test_verification_is_interrupted_and_the_rest_goes_on_in_order(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    names = [kubectl.ask(scene.name, action) for action in ("Verify", "Undo", "Verify", "Duplicates")]
    assert scene.orders.held.wait(30)
    scene.cluster.wait(names[-1], lambda held: held.get("status", {}).get("phase") == "Pending", kind="SyncRun")
    assert [kubectl.status(name)["reason"] for name in names] == ["Running", "WaitingForTurn", "WaitingForTurn", "WaitingForTurn"]
    operators.one.kill()
    scene.orders.release()
    assert operators.one
    told = [ended(scene, name) for name in names]
    assert [status["phase"] for status in told] == ["Failed", "Succeeded", "Succeeded", "Succeeded"]
    assert (told[0]["reason"], told[0]["message"]) == ("Interrupted", LEFT)
    assert told[1]["run"] < told[2]["run"] < told[3]["run"]
    assert told[2]["result"]["verified"]["different"] == 3  # compared after the undo


def test_run_of_the_source_is_interrupted_with_its_syncrun(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    name = kubectl.ask(scene.name, "FullRefresh")
    assert scene.orders.held.wait(30)
    operators.one.kill()
    scene.orders.release()
    assert operators.one
    status = ended(scene, name)
    assert (status["phase"], status["reason"]) == ("Failed", "Interrupted")
    done = scene.wait(lambda source: history(source)[0]["trigger"] == "Retry")
    assert [(entry["id"] == status["run"], entry["result"], entry["full"]) for entry in history(done)[:2]] == [
        (False, "Succeeded", True),
        (True, "Interrupted", True),
    ]


def test_time_passes_while_no_operator_is_there(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    kept, gone = kubectl.ask(scene.name, "Duplicates", ttl="2h"), kubectl.ask(scene.name, "Duplicates", ttl="3s")
    soon = kubectl.ask(scene.name, "Duplicates", ttl="0s")
    for name in (kept, gone):
        ended(scene, name)
    kubectl("wait", "--for=delete", f"syncrun/{soon}", "--timeout=30s")
    if gone in kubectl("get", "syncrun", "-o", "name"):  # its three seconds may be over by now
        operators.one.kill()
    assert operators.one
    kubectl("wait", "--for=delete", f"syncrun/{gone}", "--timeout=30s")
    assert f"syncrun.syncsource.dev/{kept}\n" in kubectl("get", "syncrun", "-o", "name")


def test_nothing_is_written_at_rest_not_by_a_new_operator_either(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    names = [kubectl.ask(scene.name, action) for action in ("Duplicates", "Undo")]
    for name in names:
        ended(scene, name)
    before = {name: scene.cluster.get(name, "SyncRun")["metadata"]["resourceVersion"] for name in names}
    operators.one.kill()
    log_line(operators.one, lambda line: line["message"] == "ready")
    assert {name: scene.cluster.get(name, "SyncRun")["metadata"]["resourceVersion"] for name in names} == before


def test_deleted_while_it_runs(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    first, second = kubectl.ask(scene.name, "Verify"), kubectl.ask(scene.name, "Undo")
    assert scene.orders.held.wait(30)
    kubectl("delete", "syncrun", first)
    status = ended(scene, second)  # though the upstream still holds back the page
    scene.orders.release()
    assert (status["phase"], changed(scene)) == ("Succeeded", 0)


def test_a_run_whose_syncrun_is_deleted_is_stopped(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    name = kubectl.ask(scene.name, "Sync")
    assert scene.orders.held.wait(30)
    kubectl("delete", "syncrun", name)
    done = scene.wait(lambda source: history(source)[0]["result"] == "Interrupted")
    scene.orders.release()
    assert history(done)[0]["reason"] == "SyncRunDeleted"
    assert "nextRetryTime" not in done["status"]


def test_an_operator_that_ends_in_good_order_says_what_it_stopped(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    first, second = kubectl.ask(scene.name, "Verify"), kubectl.ask(scene.name, "Undo")
    assert scene.orders.held.wait(30)
    assert operators.one.stop() == 0
    scene.orders.release()
    told = kubectl.status(first)
    assert (told["phase"], told["reason"]) == ("Failed", "Interrupted")
    assert told["message"].startswith("The operator stopped.")
    assert kubectl.status(second)["phase"] == "Pending"
    assert operators.one
    assert ended(scene, second)["phase"] == "Succeeded"


def test_refusals(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    kubectl("patch", "syncsource", scene.name, "--type=merge", "-p", '{"spec":{"suspend":true,"suspendReason":"stock-taking"}}')
    scene.wait(lambda source: any(one["type"] == "Suspended" for one in source["status"]["conditions"]))
    refused = kubectl.failed(scene.name, "Sync")
    assert (refused["reason"], "stock-taking" in refused["message"], "run" in refused) == ("Suspended", True, False)
    assert kubectl.complete(scene.name, "Undo")["phase"] == "Succeeded"
    began = time.monotonic()
    nobody = kubectl.failed("nobody", "Undo")
    assert (nobody["reason"], time.monotonic() - began < 20) == ("SourceNotFound", True)


def test_watching(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    scene.orders.hold()
    kubectl.ask(scene.name, "Verify")
    assert scene.orders.held.wait(30)
    name = kubectl.ask(scene.name, "Undo")
    scene.cluster.wait(name, lambda held: held.get("status", {}).get("phase") == "Pending", kind="SyncRun")
    where = ["--kubeconfig", str(operators.cluster.kubeconfig), "--namespace", operators.cluster.namespace]
    command = ["kubectl", *where, "get", "syncrun", name, "-w", "--no-headers"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as watching:
        assert watching.stdout is not None
        seen = [watching.stdout.readline().split()[2:5]]
        scene.orders.release()
        seen += [watching.stdout.readline().split()[2:5] for _ in range(2)]
        watching.terminate()
    assert seen == [["Undo", "Pending", "WaitingForTurn"], ["Undo", "Running", "Running"], ["Undo", "Succeeded", "Succeeded"]]


def test_one_of_two_operators_does_it(scene: Scene, operators: Operators, kubectl: Kubectl) -> None:
    assert operators.one
    other = operators.start()
    log_line(other, lambda line: line["message"] == "ready")
    names = [kubectl.ask(scene.name, action) for action in ("Undo", "Verify", "Sync")]
    told = [ended(scene, name) for name in names]
    assert [status["phase"] for status in told] == ["Succeeded"] * 3
    undone = scene.warehouse.sql(f"SELECT run FROM syncsource_runs WHERE identity LIKE '%/{scene.name}' AND \"trigger\" = 'Undo'")
    assert undone == [(told[0]["run"],)]
    assert changed(scene) == 3  # the run after it brought them again
