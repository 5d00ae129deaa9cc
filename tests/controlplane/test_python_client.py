"""What the Kubernetes Python client builds on the API: dynamic client, watches that go on, informers, elections, manifests from files."""

from __future__ import annotations

import queue
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import kubernetes
import pytest
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import ConflictError, NotFoundError
from kubernetes.informer import ADDED, DELETED, MODIFIED, SharedInformer

from tests.controlplane.conftest import HERE, Server

PATIENCE = 20


@pytest.fixture(scope="module")
def api(server: Server, widgets: str) -> Iterator[kubernetes.client.ApiClient]:
    configuration = kubernetes.client.Configuration()
    kubernetes.config.load_kube_config(str(server.kubeconfig), client_configuration=configuration)
    with kubernetes.client.ApiClient(configuration) as client:
        yield client


def widget(name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "conformance.example.dev/v1alpha1",
        "kind": "Widget",
        "metadata": {"name": name},
        "spec": {"colour": "red", **spec},
    }


def test_the_dynamic_client_finds_kinds_and_uses_them(api: kubernetes.client.ApiClient, tmp_path: Path) -> None:
    dynamic = DynamicClient(api, cache_file=str(tmp_path / "discovery.json"))
    widgets = dynamic.resources.get(api_version="conformance.example.dev/v1alpha1", kind="Widget")
    assert (widgets.name, widgets.namespaced, widgets.short_names, widgets.categories) == ("widgets", True, ["wg"], ["parts"])
    made = widgets.create(body=widget("dynamic"), namespace="default")
    assert made.spec.size == 10
    patch = {"spec": {"size": 11}}
    changed = widgets.patch(name="dynamic", namespace="default", body=patch, content_type="application/merge-patch+json")
    assert (changed.spec.size, changed.metadata.generation) == (11, 2)
    with pytest.raises(ConflictError):
        widgets.server_side_apply(body=widget("dynamic", size=12), name="dynamic", namespace="default", field_manager="one")
    applied = widgets.server_side_apply(
        body=widget("dynamic", size=12), name="dynamic", namespace="default", field_manager="one", force_conflicts=True
    )
    assert applied.spec.size == 12
    status = widgets.status.patch(
        name="dynamic", namespace="default", body={"status": {"observedGeneration": 3}}, content_type="application/merge-patch+json"
    )
    assert status.status.observedGeneration == 3
    stale = made.to_dict()
    with pytest.raises(ConflictError):
        widgets.replace(body=stale, namespace="default")
    assert [event["type"] for event in widgets.watch(namespace="default", name="dynamic", timeout=1)] == ["ADDED"]
    assert [item.metadata.name for item in widgets.get(namespace="default", field_selector="metadata.name=dynamic").items] == ["dynamic"]
    widgets.delete(name="dynamic", namespace="default")
    with pytest.raises(NotFoundError):
        widgets.get(name="dynamic", namespace="default")


def test_the_dynamic_client_goes_by_its_cache_and_asks_again_where_that_is_old(
    api: kubernetes.client.ApiClient, http: httpx.Client, tmp_path: Path
) -> None:
    cache = str(tmp_path / "discovery.json")
    assert DynamicClient(api, cache_file=cache).resources.get(api_version="v1", kind="Secret").name == "secrets"
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "gears.later.example"},
        "spec": {
            "group": "later.example",
            "scope": "Cluster",
            "names": {"kind": "Gear", "plural": "gears"},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    }
    assert http.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", json=definition).status_code == 201
    assert DynamicClient(api, cache_file=cache).resources.get(api_version="later.example/v1", kind="Gear").name == "gears"


def test_a_watch_goes_on_where_the_last_one_ended(api: kubernetes.client.ApiClient) -> None:
    core = kubernetes.client.CoreV1Api(api)
    first = kubernetes.watch.Watch()
    version = core.list_namespaced_config_map("default").metadata.resource_version
    core.create_namespaced_config_map("default", {"metadata": {"name": "one"}})
    for event in first.stream(core.list_namespaced_config_map, "default", resource_version=version, timeout_seconds=PATIENCE):
        assert (event["type"], event["object"].metadata.name) == ("ADDED", "one")
        first.stop()
    core.delete_namespaced_config_map("one", "default")
    core.create_namespaced_config_map("default", {"metadata": {"name": "two"}})
    second, seen = kubernetes.watch.Watch(), []
    for event in second.stream(
        core.list_namespaced_config_map, "default", resource_version=first.resource_version, timeout_seconds=PATIENCE
    ):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 2:
            second.stop()
    assert seen == [("DELETED", "one"), ("ADDED", "two")]


def test_an_informer_holds_what_there_is(api: kubernetes.client.ApiClient) -> None:
    core = kubernetes.client.CoreV1Api(api)
    core.create_namespaced_secret("default", {"metadata": {"name": "early", "labels": {"watched": "yes"}}})
    informer = SharedInformer(core.list_namespaced_secret, namespace="default", label_selector="watched=yes")
    heard: queue.Queue[tuple[str, str]] = queue.Queue()
    for kind in (ADDED, MODIFIED, DELETED):
        informer.add_event_handler(kind, lambda obj, kind=kind: heard.put((kind, obj.metadata.name)))
    informer.start()
    try:
        assert heard.get(timeout=PATIENCE) == (ADDED, "early")
        core.create_namespaced_secret("default", {"metadata": {"name": "late", "labels": {"watched": "yes"}}})
        assert heard.get(timeout=PATIENCE) == (ADDED, "late")
        core.patch_namespaced_secret("early", "default", {"stringData": {"a": "b"}})
        assert heard.get(timeout=PATIENCE) == (MODIFIED, "early")
        core.patch_namespaced_secret("early", "default", {"metadata": {"labels": {"watched": "no"}}})
        assert heard.get(timeout=PATIENCE) == (DELETED, "early")
        assert [secret.metadata.name for secret in informer.cache.list()] == ["late"]
    finally:
        core.delete_namespaced_secret("late", "default")
        informer.stop()


def test_manifests_of_a_file_are_made(api: kubernetes.client.ApiClient, tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(
        textwrap.dedent("""
            apiVersion: v1
            kind: Namespace
            metadata: {name: from-file}
            ---
            apiVersion: v1
            kind: List
            items:
            - {apiVersion: v1, kind: ConfigMap, metadata: {name: listed, namespace: from-file}, data: {a: b}}
            - apiVersion: apps/v1
              kind: Deployment
              metadata: {name: web, namespace: from-file}
              spec:
                selector: {matchLabels: {app: web}}
                template:
                  metadata: {labels: {app: web}}
                  spec: {containers: [{name: web, image: "web:1", ports: [{containerPort: 80}]}]}
        """)
    )
    kubernetes.utils.create_from_yaml(api, str(path))
    assert kubernetes.client.CoreV1Api(api).read_namespaced_config_map("listed", "from-file").data == {"a": "b"}
    assert kubernetes.client.AppsV1Api(api).read_namespaced_deployment("web", "from-file").spec.replicas == 1
    with pytest.raises(kubernetes.utils.FailToCreateError) as again:
        kubernetes.utils.create_from_yaml(api, str(path))
    assert {error.status for error in again.value.api_exceptions} == {409}


@contextmanager
def candidate(server: Server, name: str) -> Iterator[subprocess.Popen[str]]:
    """Somebody who stands for election, until the block ends or death."""
    command = [sys.executable, str(HERE / "data" / "candidate.py"), str(server.kubeconfig), name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def elected(process: subprocess.Popen[str]) -> set[str]:
    """The two elections that it has won, once it has."""
    assert process.stdout is not None
    return {process.stdout.readline().strip() for _ in range(2)}


def test_of_two_candidates_one_leads_and_the_other_follows_it(server: Server, api: kubernetes.client.ApiClient) -> None:
    leases = kubernetes.client.CoordinationV1Api(api)

    def holder() -> str:
        return str(leases.read_namespaced_lease("election", "default").spec.holder_identity)

    with candidate(server, "first") as first:
        assert elected(first) == {"LeaseLock", "ConfigMapLock"}
        with candidate(server, "second") as second:
            assert holder() == "first"
            first.kill()
            assert elected(second) == {"LeaseLock", "ConfigMapLock"}
            assert holder() == "second"
