"""kubectl beyond the recorded commands: what people type at a cluster, with the answers and exit codes that they get there."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.controlplane.conftest import HERE, Server, kubectl_environment

Kubectl = Callable[..., subprocess.CompletedProcess[str]]
FILES = HERE / "conformance" / "files"
PATIENCE = 20


@pytest.fixture(autouse=True)
def defined(widgets: str) -> None:
    """Widgets exist."""


@contextmanager
def running(server: Server, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """kubectl while it waits, for PATIENCE seconds at most."""
    env = {**os.environ, **kubectl_environment(server)}
    with subprocess.Popen(["kubectl", *arguments], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        alarm = threading.Timer(PATIENCE, process.kill)
        alarm.start()
        try:
            yield process
        finally:
            alarm.cancel()
            process.kill()


def widget(name: str, labels: dict[str, str] | None = None, **spec: Any) -> str:
    metadata = {"name": name, **({"labels": labels} if labels else {})}
    return json.dumps(
        {"apiVersion": "conformance.example.dev/v1alpha1", "kind": "Widget", "metadata": metadata, "spec": {"colour": "red", **spec}}
    )


def test_diff_tells_by_its_exit_code(kubectl: Kubectl) -> None:
    assert kubectl("diff", "-f", "-", stdin=widget("differs")).returncode == 1
    assert kubectl("apply", "-f", "-", stdin=widget("differs")).returncode == 0
    assert kubectl("diff", "-f", "-", stdin=widget("differs")).returncode == 0
    changed = kubectl("diff", "-f", "-", stdin=widget("differs", size=50))
    assert changed.returncode == 1
    assert [line for line in changed.stdout.splitlines() if line.startswith(("-  size", "+  size"))] == ["-  size: 10", "+  size: 50"]
    assert kubectl("diff", "-f", "-", stdin=widget("differs", colour="mauve")).returncode > 1


def test_apply_prunes_what_is_left_out(kubectl: Kubectl) -> None:
    labels = {"set": "pruned"}
    both = widget("stays", labels) + widget("goes", labels)
    options = ("apply", "-l", "set=pruned", "--prune", "--prune-allowlist=conformance.example.dev/v1alpha1/Widget", "-f", "-")
    assert kubectl(*options, stdin=both).returncode == 0
    assert kubectl(*options, stdin=widget("stays", labels)).stdout.splitlines() == [
        "widget.conformance.example.dev/stays unchanged",
        "widget.conformance.example.dev/goes pruned",
    ]
    assert kubectl("get", "widgets", "-l", "set=pruned", "-o", "name").stdout == "widget.conformance.example.dev/stays\n"


def test_server_side_apply_takes_over_from_client_side_apply(kubectl: Kubectl) -> None:
    assert kubectl("apply", "-f", "-", stdin=widget("taken", size=20, code="AB-1")).returncode == 0
    assert kubectl("apply", "--server-side", "-f", "-", stdin=widget("taken", size=21)).returncode == 0
    held = json.loads(kubectl("get", "widget", "taken", "-o", "json", "--show-managed-fields").stdout)
    assert held["spec"] == {"colour": "red", "size": 21}
    owners = [(entry["manager"], entry["operation"]) for entry in held["metadata"]["managedFields"]]
    assert owners == [("kubectl-last-applied", "Apply"), ("kubectl", "Apply")]
    other = ("apply", "--server-side", "--field-manager=other", "-f", "-")
    refused = kubectl(*other, stdin=widget("taken", size=22))
    assert refused.returncode == 1
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.size' in refused.stderr
    assert kubectl(*other, "--force-conflicts", stdin=widget("taken", size=22)).returncode == 0
    assert kubectl("apply", "--server-side", "-f", "-", stdin=widget("taken")).returncode == 0
    assert json.loads(kubectl("get", "widget", "taken", "-o", "json").stdout)["spec"]["size"] == 22


def test_wait_ends_when_it_is_gone_and_when_it_is_there(server: Server, kubectl: Kubectl, http: httpx.Client, widgets: str) -> None:
    with running(server, "wait", "--for=create", "widget/awaited", "--timeout=15s") as process:
        kubectl("apply", "-f", "-", stdin=widget("awaited"))
        assert process.wait() == 0
    with running(server, "wait", "--for=delete", "widget/awaited", "--timeout=15s") as process:
        http.delete(f"{widgets}/awaited")
        assert process.wait() == 0


def test_a_watch_shows_what_happens(server: Server, kubectl: Kubectl, http: httpx.Client, widgets: str) -> None:
    kubectl("apply", "-f", "-", stdin=widget("watched"))
    with running(server, "get", "widgets", "--field-selector=metadata.name=watched", "-w", "--output-watch-events") as process:
        assert process.stdout is not None
        lines = (line.split() for line in process.stdout)
        assert next(lines)[:3] == ["EVENT", "NAME", "COLOUR"]
        assert next(lines)[:4] == ["ADDED", "watched", "red", "10"]
        http.patch(f"{widgets}/watched", content='{"spec":{"size":11}}', headers={"Content-Type": "application/merge-patch+json"})
        assert next(lines)[:4] == ["MODIFIED", "watched", "red", "11"]
        http.delete(f"{widgets}/watched")
        assert next(lines)[:4] == ["DELETED", "watched", "red", "11"]


def test_replace(kubectl: Kubectl) -> None:
    kubectl("create", "-f", "-", stdin=widget("replaced"))
    old = kubectl("get", "widget", "replaced", "-o", "json").stdout
    assert kubectl("replace", "-f", "-", stdin=widget("replaced", size=30)).stdout == "widget.conformance.example.dev/replaced replaced\n"
    stale = kubectl("replace", "-f", "-", stdin=old)
    assert stale.returncode == 1
    assert "the object has been modified; please apply your changes to the latest version and try again" in stale.stderr
    assert kubectl("replace", "--force", "-f", "-", stdin=widget("replaced", size=31)).returncode == 0
    assert json.loads(kubectl("get", "widget", "replaced", "-o", "json").stdout)["metadata"]["generation"] == 1


def test_dry_runs_leave_nothing_and_check_everything(kubectl: Kubectl) -> None:
    assert kubectl("create", "-f", "-", "--dry-run=server", stdin=widget("dry")).stdout == (
        "widget.conformance.example.dev/dry created (server dry run)\n"
    )
    assert kubectl("create", "-f", "-", "--dry-run=server", stdin=widget("dry", colour="mauve")).returncode == 1
    assert kubectl("get", "widget", "dry").returncode == 1


def test_what_was_applied_is_shown_and_edited(kubectl: Kubectl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/size: 40/size: 41/'")
    kubectl("apply", "-f", "-", stdin=widget("edited", size=40))
    assert "size: 40" in kubectl("apply", "view-last-applied", "widget/edited").stdout
    assert kubectl("apply", "edit-last-applied", "widget/edited").stdout == "widget.conformance.example.dev/edited edited\n"
    assert "size: 41" in kubectl("apply", "view-last-applied", "widget/edited").stdout
    assert kubectl("edit", "widget", "edited").stdout == "widget.conformance.example.dev/edited edited\n"
    assert kubectl("get", "widget", "edited", "-o", "jsonpath={.spec.size}").stdout == "41"
    monkeypatch.setenv("KUBE_EDITOR", "sed -i 's/size: 41$/size: 410/'")
    refused = kubectl("edit", "widget", "edited")
    assert refused.returncode == 1
    assert 'widgets.conformance.example.dev "edited" is invalid' in refused.stderr
    assert "no valid changes were saved" in refused.stderr


def test_subresources(kubectl: Kubectl) -> None:
    kubectl("apply", "-f", "-", stdin=widget("parted"))
    patch = '{"status":{"observedGeneration":7},"spec":{"size":70}}'
    assert kubectl("patch", "widget", "parted", "--subresource=status", "--type=merge", "-p", patch).returncode == 0
    held = json.loads(kubectl("get", "widget", "parted", "--subresource=status", "-o", "json").stdout)
    assert (held["status"], held["spec"]["size"]) == ({"observedGeneration": 7}, 10)


def test_who_am_i_and_what_may_i(kubectl: Kubectl) -> None:
    assert "system:masters" in kubectl("auth", "whoami").stdout
    rights = kubectl("auth", "can-i", "--list").stdout.splitlines()
    assert rights[0].split() == ["Resources", "Non-Resource", "URLs", "Resource", "Names", "Verbs"]
    assert ["*.*", "[]", "[]", "[*]"] in [line.split() for line in rights]
    assert kubectl("auth", "can-i", "delete", "secrets", "--as=system:serviceaccount:default:nobody").stdout == "no\n"


def test_the_cluster_is_told_of(kubectl: Kubectl, server: Server) -> None:
    info = kubectl("cluster-info", env={"NO_COLOR": "1", "TERM": "dumb"})
    assert f"is running at {server.url}" in info.stdout
    top = kubectl("top", "pods")
    assert (top.returncode, top.stderr) == (1, "error: Metrics API not available\n")
    assert kubectl("events").returncode == 0
    assert kubectl("completion", "bash").returncode == 0
    kubectl("apply", "-f", "-", stdin=widget("completed"))
    assert "completed" in kubectl("__complete", "get", "widgets", "comp").stdout.splitlines()


CREATED = [
    ("secret", "generic", "s", "--from-literal=a=b"),
    ("secret", "tls", "t", "--cert={tls}.crt", "--key={tls}.key"),
    ("configmap", "c", "--from-literal=a=b"),
    ("serviceaccount", "sa"),
    ("role", "r", "--verb=get", "--resource=widgets.conformance.example.dev"),
    ("rolebinding", "rb", "--role=r", "--serviceaccount=default:sa"),
    ("clusterrole", "cr", "--verb=get", "--resource=nodes"),
    ("clusterrolebinding", "crb", "--clusterrole=cr", "--group=all"),
    ("job", "j", "--image=i"),
    ("cronjob", "cj", "--image=i", "--schedule=0 * * * *"),
    ("deployment", "d", "--image=i", "--replicas=2"),
    ("service", "clusterip", "svc", "--tcp=80:8080"),
]


@pytest.mark.parametrize("arguments", CREATED, ids=lambda arguments: "-".join(arguments[:2]))
def test_create_makes_it(arguments: tuple[str, ...], kubectl: Kubectl, server: Server) -> None:
    tls = str(server.folder / "server")
    made = kubectl("create", *(word.format(tls=tls) for word in arguments))
    assert made.returncode == 0, made.stderr
    kind, name = made.stdout.split()[0].split("/")
    assert kubectl("get", kind, name, "-o", "name").stdout == f"{kind}/{name}\n"
    assert kubectl("describe", kind, name).returncode == 0


def test_a_deployment_is_changed_and_its_rollout_begun(kubectl: Kubectl) -> None:
    assert kubectl("create", "deployment", "web", "--image=web:1").returncode == 0
    assert kubectl("set", "image", "deployment/web", "web=web:2").stdout == "deployment.apps/web image updated\n"
    assert kubectl("set", "env", "deployment/web", "A=b").returncode == 0
    assert kubectl("scale", "deployment/web", "--replicas=3").stdout == "deployment.apps/web scaled\n"
    assert kubectl("rollout", "restart", "deployment/web").stdout == "deployment.apps/web restarted\n"
    assert kubectl("rollout", "status", "deployment/web", "--watch=false").stdout == (
        "Waiting for deployment spec update to be observed...\n"
    )
    assert kubectl("expose", "deployment/web", "--port=80").stdout == "service/web exposed\n"
    held = json.loads(kubectl("get", "deployment", "web", "-o", "json").stdout)
    [container] = held["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["env"], held["spec"]["replicas"]) == ("web:2", [{"name": "A", "value": "b"}], 3)
    assert "kubectl.kubernetes.io/restartedAt" in held["spec"]["template"]["metadata"]["annotations"]
