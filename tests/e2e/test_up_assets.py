"""``syncsource up`` on the kube-apiserver and etcd that KUBEBUILDER_ASSETS names."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from syncsource import __version__
from tests.e2e import product as processes
from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Cluster, condition, ready
from tests.e2e.databases import Warehouse
from tests.e2e.product import EMBEDDED, run
from tests.e2e.scene import Scene
from tests.requiring import unavailable


@pytest.fixture(autouse=True)
def kubernetes() -> None:
    if EMBEDDED:
        unavailable("KUBEBUILDER_ASSETS", "it is not set to a folder with kube-apiserver and etcd")


def test_what_dies_is_started_again(api: Api, sqlite: Warehouse, tmp_path: Path) -> None:
    with processes.up(tmp_path) as product:
        assert product.welcome.startswith("kube-apiserver v")
        assert f"The control plane answers at {tmp_path}/kubeconfig; in another terminal:\n" in product.welcome
        second = run("up", "--dir", str(tmp_path))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith(f"error: another control plane is already running in {tmp_path}\n")
        scene = Scene("survivor", product.cluster, api, Orders(20), sqlite)
        api.routes[scene.path] = scene.orders
        scene.apply()
        for name in ("kube-apiserver", "etcd"):
            [program] = [child for child in product.children if child.name() == name]
            program.kill()
            program.wait(5)
            product.cluster.wait_answering(seconds=60)
            assert ready(scene.request(name))
            assert f"{name} ended with code -9 and is started again in 0.5 s" in product.log
        product.kill()


def test_a_node_runs_jobs_and_serves_logs_there_too(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product, closing(Cluster(tmp_path / "kubeconfig", "syncsource")) as system:
        container = {"name": "main", "image": "syncsource:1", "args": ["--version"]}
        template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once"}, "spec": {"template": template}}
        product.cluster.apply(job)
        product.cluster.wait("once", lambda job: condition(job, "Complete").get("status") == "True", kind="Job")
        [pod] = product.cluster.list("Pod")
        assert product.cluster.log(pod["metadata"]["name"]) == f"syncsource, version {__version__}\n"
        system.wait_log("syncsource-operator", "looking after the SyncSources of all namespaces")


def test_the_demo_is_ready_there_too(tmp_path: Path) -> None:
    done = run("up", "--demo", "--once", "--dir", str(tmp_path), seconds=150)
    assert done.returncode == 0, done.stderr
    assert [line.split()[4:6] for line in done.stdout.splitlines()[1:4]] == [["True", "Succeeded"]] * 3
    assert done.stderr.count("kube-apiserver v") == 1
