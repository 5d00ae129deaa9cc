"""``syncsource up`` as long as it runs: its first words, a second one, its end; and a control plane that is gone."""

from __future__ import annotations

import json
import signal
import time
from contextlib import closing
from pathlib import Path

import yaml

from syncsource import __version__
from tests.e2e import product as processes
from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Cluster, condition, ready, secret
from tests.e2e.databases import Warehouse
from tests.e2e.product import Product, embedded_only, run
from tests.e2e.scene import Scene

pytestmark = embedded_only


def test_it_says_what_to_type(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product:
        assert product.welcome == (
            f"The control plane answers at {tmp_path}/kubeconfig; in another terminal:\n\n"
            f"  export KUBECONFIG={tmp_path}/kubeconfig\n  kubectl get syncsrc -w\n  kubectl apply -f my-source.yaml\n\n"
            "Ctrl-C stops it; what is in the state folder stays.\n"
        )
        second = run("up", "--dir", str(tmp_path))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith(f"error: another control plane is already running in {tmp_path}\n")
        assert product.process.poll() is None
        assert product.stop(signal.SIGINT) == 0
        config = tmp_path / "kubeconfig"
        port = yaml.safe_load(config.read_text())["clusters"][0]["cluster"]["server"].rpartition(":")[2]
        gone = run("history", "x", "--kubeconfig", str(config))
        assert (gone.returncode, gone.stdout) == (1, "")
        assert gone.stderr == (
            f"error: the control plane does not answer: HTTPSConnection(host='127.0.0.1', port={port}): "
            "Failed to establish a new connection: [Errno 111] Connection refused; is `syncsource up` running?\n"
        )


def test_second_call_of_the_demo(tmp_path: Path) -> None:
    took = []
    for _ in range(2):
        began = time.monotonic()
        done = run("up", "--demo", "--once", "--dir", str(tmp_path), seconds=120)
        took.append(time.monotonic() - began)
        assert (done.returncode, done.stderr) == (0, "")
    assert took[1] < 60


def test_what_dies_is_started_again(api: Api, sqlite: Warehouse, tmp_path: Path) -> None:
    with processes.up(tmp_path) as product, closing(Cluster(tmp_path / "kubeconfig", "syncsource")) as system:
        scene = Scene("survivor", product.cluster, api, Orders(20), sqlite)
        api.routes[scene.path] = scene.orders
        scene.apply()
        scene.request("one")
        before = system.wait("syncsource-operator", lambda pod: restarts(pod) == 0, kind="Pod")
        kill(product, "syncsource.localplane --dir")
        product.cluster.wait_answering()
        assert ready(scene.request("two"))
        kill(product, "syncsource operator")
        after = system.wait("syncsource-operator", lambda pod: restarts(pod) == 1, kind="Pod")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        container = after["status"]["containerStatuses"][0]
        assert container["lastState"]["terminated"]["exitCode"] == 137
        assert ready(scene.request("three"))
        assert runs_of("default/survivor", system.log("syncsource-operator", previous="true")) == 2
        assert runs_of("default/survivor", system.log("syncsource-operator")) == 1
        for name in ("the control plane", "the operator"):
            assert f"{name} ended with code -9 and is started again in 0.5 s" in product.log


def test_an_operator_whose_pod_is_deleted_starts_anew(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product, closing(Cluster(tmp_path / "kubeconfig", "syncsource")) as system:
        before = system.wait("syncsource-operator", lambda pod: restarts(pod) == 0, kind="Pod")
        [first] = [child for child in product.children if "syncsource operator" in " ".join(child.cmdline())]
        system.wait_log("syncsource-operator", "looking after the SyncSources of all namespaces")
        system.delete("syncsource-operator", "Pod")
        after = system.wait(
            "syncsource-operator", lambda pod: pod["metadata"]["uid"] != before["metadata"]["uid"] and restarts(pod) >= 0, kind="Pod"
        )
        assert (restarts(after), after["spec"]["nodeName"]) == (0, "syncsource")
        assert not first.is_running()
        system.wait_log("syncsource-operator", "looking after the SyncSources of all namespaces")


def test_a_job_of_the_products_image_runs_here(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product:
        script = ["sh", "-c", "echo $NAME && syncsource --version"]
        env = [{"name": "NAME", "valueFrom": {"secretKeyRef": {"name": "who", "key": "text"}}}]
        container = {"name": "main", "image": "registry.example/team/syncsource:1", "command": script, "env": env}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {"template": template}}
        product.cluster.apply(secret("who", text="a name"), job)
        product.cluster.wait("once", lambda job: condition(job, "Complete").get("status") == "True", kind="Job")
        [pod] = product.cluster.list("Pod")
        assert product.cluster.log(pod["metadata"]["name"]) == f"a name\nsyncsource, version {__version__}\n"
        [node] = product.cluster.list("Node")
        assert (node["metadata"]["name"], condition(node, "Ready")["status"]) == ("syncsource", "True")


def test_the_log_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product, closing(Cluster(tmp_path / "kubeconfig", "syncsource")) as system:
        system.wait_log("syncsource-operator", "looking after")
        product.kill()
    with processes.up(tmp_path), closing(Cluster(tmp_path / "kubeconfig", "syncsource")) as system:
        system.wait("syncsource-operator", lambda pod: restarts(pod) == 1, kind="Pod")
        assert "looking after" in system.log("syncsource-operator", previous="true")


def kill(product: Product, command: str) -> None:
    """SIGKILL for the child with this in its command line."""
    [process] = [child for child in product.children if command in " ".join(child.cmdline())]
    process.kill()


def restarts(pod: dict[str, object]) -> int:
    """How often the operator was started again; -1 while it does not run."""
    containers = pod.get("status", {}).get("containerStatuses") or [{}]  # type: ignore[attr-defined]
    return containers[0]["restartCount"] if containers[0].get("ready") else -1


def runs_of(source: str, log: str) -> int:
    """How many runs of it have ended, by the log."""
    lines = [json.loads(line) for line in log.splitlines()]
    return sum(line.get("source") == source and line["message"].startswith("Succeeded") for line in lines)
