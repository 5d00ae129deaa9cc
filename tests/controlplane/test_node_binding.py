"""Pods get a node once, and what runs on a node has its time to end."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

PODS = "/api/v1/namespaces/default/pods"
Object = dict[str, Any]


@pytest.fixture
def new_pod(http: httpx.Client) -> Callable[..., str]:
    """The path of a Pod with a name of its own."""

    def create(node: str = "", **spec: Any) -> str:
        name = f"p{uuid.uuid4().hex[:10]}"
        made = http.post(PODS, json={"metadata": {"name": name}, "spec": {"containers": [{"name": "main", "image": "none"}], **spec}})
        assert made.status_code == 201, made.text
        if node:
            assert bind(http, f"{PODS}/{name}", node).status_code == 201
        return f"{PODS}/{name}"

    return create


def bind(http: httpx.Client, path: str, node: str, **metadata: str) -> httpx.Response:
    body = {"metadata": {"name": path.rpartition("/")[2], **metadata}, "target": {"kind": "Node", "name": node}}
    return http.post(f"{path}/binding", json=body)


def delete(http: httpx.Client, path: str, **options: Any) -> Object:
    return http.request("DELETE", path, json=options).json()


def test_a_pod_is_bound_once(http, new_pod) -> None:
    path = new_pod()
    before = http.get(path).json()
    assert bind(http, path, "here").json() == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    after = http.get(path).json()
    assert (after["spec"]["nodeName"], after["metadata"]["generation"]) == ("here", before["metadata"]["generation"])
    assert [(one["type"], one["status"]) for one in after["status"]["conditions"]] == [("PodScheduled", "True")]
    again = bind(http, path, "there")
    name = path.rpartition("/")[2]
    message = f'Operation cannot be fulfilled on pods/binding "{name}": pod {name} is already assigned to node "here"'
    assert (again.status_code, again.json()["message"]) == (409, message)


@pytest.mark.parametrize(
    "body",
    [[], {}, {"metadata": 1, "target": {}}, {"metadata": {"name": "other"}, "target": {"name": "n"}}, {"target": {"name": "n"}}],
)
def test_what_is_no_binding_is_refused(http, new_pod, body) -> None:
    path = new_pod()
    assert http.post(f"{path}/binding", json=body).status_code == 400
    assert "nodeName" not in http.get(path).json()["spec"]


@pytest.mark.parametrize("target", [None, 1, {}, {"name": ""}, {"name": 7}, {"kind": "Pod", "name": "n"}])
def test_a_binding_names_a_node(http, new_pod, target) -> None:
    path = new_pod()
    refused = http.post(f"{path}/binding", json={"metadata": {"name": path.rpartition("/")[2]}, "target": target})
    assert (refused.status_code, refused.json()["message"].partition(":")[0]) == (400, "target.name")


def test_another_pod_of_that_name_is_not_bound(http, new_pod) -> None:
    path = new_pod()
    assert bind(http, path, "here", uid=str(uuid.uuid4())).status_code == 409
    assert bind(http, f"{PODS}/nothing", "here").status_code == 404
    assert http.get(f"{path}/binding").status_code == 405


def test_a_pod_without_a_node_goes_at_once(http, new_pod) -> None:
    path = new_pod()
    assert delete(http, path)["status"] == "Success"
    assert http.get(path).status_code == 404


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_goes_at_once(http, new_pod, phase) -> None:
    path = new_pod("here")
    merge = {"Content-Type": "application/merge-patch+json"}
    assert http.patch(f"{path}/status", json={"status": {"phase": phase}}, headers=merge).status_code == 200
    delete(http, path)
    assert http.get(path).status_code == 404


def test_a_pod_on_a_node_stays_until_its_node_deletes_it(http, new_pod) -> None:
    path = new_pod("here", terminationGracePeriodSeconds=40)
    before = dt.datetime.now(dt.UTC)
    told = delete(http, path)
    metadata = http.get(path).json()["metadata"]
    assert told["metadata"] == metadata
    assert metadata["deletionGracePeriodSeconds"] == 40
    left = dt.datetime.fromisoformat(metadata["deletionTimestamp"]) - before
    assert 38 < left.total_seconds() < 50
    assert delete(http, path)["metadata"]["resourceVersion"] == metadata["resourceVersion"]
    assert delete(http, path, gracePeriodSeconds=50)["metadata"]["resourceVersion"] == metadata["resourceVersion"]
    shorter = delete(http, path, gracePeriodSeconds=10)["metadata"]
    assert shorter["deletionGracePeriodSeconds"] == 10
    moved = dt.datetime.fromisoformat(metadata["deletionTimestamp"]) - dt.datetime.fromisoformat(shorter["deletionTimestamp"])
    assert moved.total_seconds() == 30
    assert http.request("DELETE", path, json={"gracePeriodSeconds": 0, "preconditions": {"uid": str(uuid.uuid4())}}).status_code == 409
    assert delete(http, path, gracePeriodSeconds=0)["status"] == "Success"
    assert http.get(path).status_code == 404


def test_finalizers_and_grace_hold_a_pod_each(http, new_pod) -> None:
    path = new_pod("here")
    merge = {"Content-Type": "application/merge-patch+json"}
    http.patch(path, json={"metadata": {"finalizers": ["example.dev/hold"]}}, headers=merge)
    delete(http, path)
    http.patch(path, json={"metadata": {"finalizers": None}}, headers=merge)
    assert http.get(path).json()["metadata"]["deletionGracePeriodSeconds"] == 30
    delete(http, path, gracePeriodSeconds=0)
    assert http.get(path).status_code == 404


@pytest.mark.parametrize(("given", "seconds"), [("5", 5), ("-3", 1)])
def test_the_query_says_the_grace_too(http, new_pod, given, seconds) -> None:
    path = new_pod("here")
    assert http.delete(path, params={"gracePeriodSeconds": given}).json()["metadata"]["deletionGracePeriodSeconds"] == seconds


@pytest.mark.parametrize("given", ["x", True, 1.5, {}])
def test_a_grace_that_is_no_number_is_refused(http, new_pod, given) -> None:
    refused = http.request("DELETE", new_pod("here"), json={"gracePeriodSeconds": given})
    assert (refused.status_code, "gracePeriodSeconds" in refused.json()["message"]) == (400, True)


def test_a_pod_of_a_node_that_is_gone_is_deleted_by_force(http, new_pod, kubectl) -> None:
    path = new_pod("nowhere")
    forced = kubectl("delete", "pod", path.rpartition("/")[2], "--force", "--grace-period=0", "--timeout=20s")
    assert forced.returncode == 0, forced.stderr
    assert http.get(path).status_code == 404
