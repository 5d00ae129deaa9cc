"""What is installed in a cluster: manifests/ applied by kubectl, and the operator at work with its service account's token and nothing more."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from syncsource.cli.operate import operator
from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Cluster, condition, ready, secret
from tests.e2e.databases import Warehouse
from tests.e2e.manifests.installed import NAMESPACE, Installed
from tests.e2e.product import PROGRAM, environment

EVERY = {"every": "1h"}


def test_everything_is_taken_and_stays(installed: Installed) -> None:
    names = {line.split()[0] for line in installed.said.splitlines()}
    role = "clusterrole" if installed.is_everywhere else "role"
    assert names == {
        "namespace/syncsource",
        "customresourcedefinition.apiextensions.k8s.io/syncsources.syncsource.dev",
        "customresourcedefinition.apiextensions.k8s.io/syncruns.syncsource.dev",
        "serviceaccount/syncsource-operator",
        f"{role}.rbac.authorization.k8s.io/syncsource-operator",
        f"{role}binding.rbac.authorization.k8s.io/syncsource-operator",
        "clusterrole.rbac.authorization.k8s.io/syncsource-cluster-identity",
        "clusterrole.rbac.authorization.k8s.io/syncsource-view",
        "clusterrole.rbac.authorization.k8s.io/syncsource-edit",
        "clusterrolebinding.rbac.authorization.k8s.io/syncsource-cluster-identity",
        "deployment.apps/syncsource-operator",
    }
    again = installed.kubectl("apply", "-k", installed.folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert {line.split()[-1] for line in again.stdout.splitlines()} == {"unchanged"}
    assert installed.kubectl("diff", "-k", installed.folder).stdout == ""


def test_the_pod_has_no_privileges(installed: Installed) -> None:
    """As the Pod Security Standard `restricted` wants it, and with a root that nobody writes to."""
    spec = installed.pod_spec()
    [container] = spec["containers"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
    assert [set(volume) - {"name"} for volume in spec["volumes"]] == [{"emptyDir"}]


def test_the_deployment_agrees_with_the_program(installed: Installed) -> None:
    command, *arguments = installed.arguments()
    assert command == "operator"
    given = operator.make_context("operator", arguments).params
    assert given["namespaces"] == (() if installed.is_everywhere else (NAMESPACE,))
    assert (given["all_namespaces"], given["log_format"]) == (installed.is_everywhere, "json")
    spec = installed.pod_spec()
    [container] = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {name: given[name] for name in ports} == {name: (None, port) for name, port in ports.items()}
    probes = {container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"health"}
    assert given["grace"] + 8 <= spec["terminationGracePeriodSeconds"]


def test_samples_are_taken_and_say_which_secret_they_lack(installed: Installed, own: Cluster, tmp_path: Path) -> None:
    applied = installed.kubectl("apply", "-k", "samples")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert {item["metadata"]["name"] for item in own.list()} >= {"flights", "orders", "products", "stores"}
    with _operator(installed, tmp_path):
        missing = {"flights": "warehouse", "orders": "demo-db", "products": "demo-db", "stores": "demo-db"}
        for name, lacking in missing.items():
            stalled = own.wait(name, lambda held: condition(held, "Stalled").get("reason") == "SecretNotFound")
            assert f"Secret {lacking}" in condition(stalled, "Stalled")["message"]
    assert installed.kubectl("delete", "-k", "samples").returncode == 0


def test_the_operator_works_with_its_token_alone(
    installed: Installed, own: Cluster, other: Cluster, api: Api, sqlite: Warehouse, tmp_path: Path
) -> None:
    api.routes["/orders"] = Orders(250)
    other.apply(source("foreign", api, "/orders", secret="db", table="foreign_rows"))
    with _operator(installed, tmp_path) as log:
        for cluster in (own, other) if installed.is_everywhere else (own,):
            table = f"orders_{cluster.namespace}_{len(installed.folder)}"
            cluster.apply(
                secret("db", url=sqlite.url),
                source("first", api, "/orders", secret="db", table=table, schedule=EVERY, http={"pagination": PAGES}),
            )
            done = cluster.wait("first", ready)
            assert condition(done, "Ready")["message"].startswith("250 read, 250 inserted")
            cluster.wait_event("first", "Succeeded")
            assert sqlite.sql(f"SELECT count(*) FROM {table}") == [(250,)]
            cluster.delete("first")
        assert installed.is_everywhere or "status" not in other.get("foreign")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line for line in lines if line["level"] not in ("debug", "info")] == []


@contextmanager
def _operator(installed: Installed, folder: Path) -> Iterator[Path]:
    """The Deployment's command as a process, once it is ready; its log. It ends with 0."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as another:
        address, other = (f"127.0.0.1:{one.getsockname()[1]}" for one in (free, another))
    here = {"--health": address, "--metrics": other}
    arguments = [
        f"{name}={here.get(name, value)}" if value else word for word in installed.arguments() for name, _, value in [word.partition("=")]
    ]
    log = folder / "operator.log"
    with log.open("w") as errors:
        command = [PROGRAM, *arguments, "--kubeconfig", str(installed.robot)]
        process = subprocess.Popen(command, stderr=errors, stdin=subprocess.DEVNULL, env=environment())
    try:
        _await_ready(process, f"http://{address}", log)
        assert "# TYPE syncsource_ready gauge\n" in httpx.get(f"http://{other}/metrics", trust_env=False).text
        yield log
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """As the kubelet does: by asking."""
    ends, said = time.monotonic() + 30, ""
    while time.monotonic() < ends and process.poll() is None:
        try:
            answer = httpx.get(f"{url}/readyz", trust_env=False)
            if answer.is_success:
                return
            said = answer.text
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"it did not become ready: {said}\n{log.read_text()}")
