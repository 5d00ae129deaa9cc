"""Built-in kinds: what is stored of an object, what is refused and how, what may change, and how it is shown."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from syncsource.localplane.registry.builtin import builtin_resources
from syncsource.localplane.registry.resource import Resource

DATA: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "data" / "kinds.yaml").read_text())
RESOURCES = {found.plural: found for found in builtin_resources() if found.is_stored and found.is_storage and not found.renames}
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
TABLE = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
_numbers = itertools.count()


def place(resource: Resource) -> str:
    base = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.api_version}"
    return f"{base}/namespaces/default/{resource.plural}" if resource.namespaced else f"{base}/{resource.plural}"


def named(obj: dict[str, Any]) -> dict[str, Any]:
    return {**obj, "metadata": {"name": f"kind-{next(_numbers)}", **obj.get("metadata", {})}}


def created(http: httpx.Client, plural: str, obj: dict[str, Any]) -> dict[str, Any]:
    made = http.post(place(RESOURCES[plural]), json=named(obj), params={"fieldValidation": "Strict"})
    assert made.status_code == 201, made.text
    return made.json()


@pytest.mark.parametrize("case", DATA["stored"], ids=lambda case: case["kind"])
def test_an_object_is_stored_as_kubernetes_stores_it(http, case) -> None:
    found = created(http, case["kind"], case["object"])
    wanted = dict(case["stored"])
    metadata = wanted.pop("metadata", {})
    assert {name: found["metadata"].get(name) for name in metadata} == metadata
    for name, value in wanted.items():
        assert found[name] == value
    assert http.get(f"{place(RESOURCES[case['kind']])}/{found['metadata']['name']}").json() == found


def test_every_kind_of_the_table_is_tried() -> None:
    elsewhere = {
        "namespaces",
        "secrets",
        "configmaps",
        "serviceaccounts",
        "leases",
        "roles",
        "clusterrolebindings",
        "customresourcedefinitions",
    }
    assert set(RESOURCES) - {case["kind"] for case in DATA["stored"]} == elsewhere


@pytest.mark.parametrize(("kind", "obj", "message"), DATA["refused"], ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_wrong_is_said_as_kubernetes_says_it(http, kind, obj, message) -> None:
    resource, sent = RESOURCES[kind], named(obj)
    refused = http.post(place(resource), json=sent)
    assert refused.status_code == 422
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    assert refused.json()["message"] == f'{qualified} "{sent["metadata"]["name"]}" is invalid: {message}'


@pytest.mark.parametrize(("kind", "obj", "message"), DATA["unreadable"], ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_type_is_a_bad_request(http, kind, obj, message) -> None:
    resource = RESOURCES[kind]
    refused = http.post(place(resource), json=named(obj))
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")
    said = f'{resource.kind} in version "{resource.version}" cannot be handled as a {resource.kind}: {message}'
    assert refused.json()["message"] == said


@pytest.mark.parametrize(("kind", "obj", "patch", "message"), DATA["fixed"], ids=lambda value: value if isinstance(value, str) else "")
def test_what_may_not_change_does_not(http, kind, obj, patch, message) -> None:
    found = created(http, kind, obj)
    path = f"{place(RESOURCES[kind])}/{found['metadata']['name']}"
    refused = http.patch(path, json=patch, headers=MERGE)
    assert refused.status_code == 422
    assert refused.json()["message"].partition(" is invalid: ")[2] == message
    assert http.get(path).json() == found


def test_an_unknown_field_is_refused_by_its_path_or_told(http) -> None:
    pod = named({"spec": {"containers": [{"name": "c", "image": "c", "imagee": "d"}]}, "sepc": {}})
    refused = http.post(place(RESOURCES["pods"]), json=pod, params={"fieldValidation": "Strict"}).json()
    assert refused["message"].endswith('strict decoding error: unknown field "sepc", unknown field "spec.containers[0].imagee"') or refused[
        "message"
    ].endswith('strict decoding error: unknown field "spec.containers[0].imagee", unknown field "sepc"')
    told = http.post(place(RESOURCES["pods"]), json=pod)
    assert told.status_code == 201
    assert len(told.headers.get_list("Warning")) == 2


def test_pods_follow_limits_and_images(http) -> None:
    resources = {"limits": {"cpu": "1000m", "memory": "1024Mi"}}
    containers = [{"name": "a", "image": "x:1", "resources": resources}, {"name": "b", "image": "x@sha256:ab", "resources": resources}]
    pod = created(http, "pods", {"spec": {"containers": containers, "volumes": [{"name": "v"}]}})
    assert [found["imagePullPolicy"] for found in pod["spec"]["containers"]] == ["IfNotPresent", "IfNotPresent"]
    amounts = {"cpu": "1", "memory": "1Gi"}
    assert pod["spec"]["containers"][0]["resources"] == {"limits": amounts, "requests": amounts}
    assert pod["status"]["qosClass"] == "Guaranteed"
    assert pod["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_of_a_pod_the_image_may_change_and_little_else(http) -> None:
    pod = created(http, "pods", {"spec": {"containers": [{"name": "a", "image": "x:1"}]}})
    path = f"{place(RESOURCES['pods'])}/{pod['metadata']['name']}"
    changed = http.patch(path, json={"spec": {"containers": [{"name": "a", "image": "x:2"}]}}, headers=STRATEGIC).json()
    assert (changed["spec"]["containers"][0]["image"], changed["metadata"]["generation"]) == ("x:2", 2)
    refused = http.patch(path, json={"spec": {"restartPolicy": "Never"}}, headers=STRATEGIC)
    assert refused.json()["message"].startswith(
        f'Pod "{pod["metadata"]["name"]}" is invalid: spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`'
    )


def test_jobs_select_their_pods_by_their_uid(http) -> None:
    job = created(http, "jobs", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "c"}], "restartPolicy": "Never"}}}})
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name, "controller-uid": uid, "job-name": name}
    assert job["spec"]["selector"] == {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    assert job["spec"]["template"]["metadata"]["labels"] == job["metadata"]["labels"] == labels
    assert (job["spec"]["completions"], job["spec"]["parallelism"]) == (1, 1)


def test_services_keep_their_addresses_and_ports(http) -> None:
    service = created(http, "services", {"spec": {"type": "NodePort", "ports": [{"port": 80}]}})
    path, spec = f"{place(RESOURCES['services'])}/{service['metadata']['name']}", service["spec"]
    assert spec["clusterIP"].startswith("10.")
    assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
    bare = {"metadata": service["metadata"], "spec": {"type": "NodePort", "ports": [{"port": 80}], "selector": {"a": "b"}}}
    kept = http.put(path, json=bare).json()["spec"]
    assert (kept["clusterIP"], kept["ports"]) == (spec["clusterIP"], spec["ports"])
    inner = http.patch(path, json={"spec": {"type": "ClusterIP"}}, headers=MERGE).json()["spec"]
    assert inner["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]


DEPLOYMENT = {"spec": {"selector": {"matchLabels": {"a": "b"}}, "template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "c"}]}}}}  # fmt: skip


def test_a_scale_is_read_and_written(http) -> None:
    found = created(http, "deployments", DEPLOYMENT)
    path = f"{place(RESOURCES['deployments'])}/{found['metadata']['name']}"
    scale = http.get(f"{path}/scale").json()
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert (scale["spec"], scale["status"]) == ({"replicas": 1}, {"replicas": 0, "selector": "a=b"})
    assert http.put(f"{path}/scale", json={**scale, "spec": {"replicas": 3}}).json()["spec"] == {"replicas": 3}
    changed = http.get(path).json()
    assert (changed["spec"]["replicas"], changed["metadata"]["generation"]) == (3, 2)
    assert http.put(f"{path}/scale", json={**scale, "spec": {"replicas": 4}}).status_code == 409
    refused = http.patch(f"{path}/scale", json={"spec": {"replicas": -1}}, headers=MERGE).json()
    assert refused["message"].endswith("spec.replicas: Invalid value: -1: must be greater than or equal to 0")
    assert http.patch(f"{path}/scale", json={"spec": {"replicas": 0}}, headers=MERGE).json()["spec"] == {}
    for wrong in ({"kind": "Deployment"}, [], {"spec": {"replicas": "x"}}, {"metadata": {"name": "other"}}):
        assert http.put(f"{path}/scale", json=wrong).status_code == 400
    assert http.get(f"{place(RESOURCES['deployments'])}/nothing/scale").status_code == 404


def test_autoscalers_are_the_same_in_both_versions(http) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "a"}
    old = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers"
    spec = {"maxReplicas": 5, "scaleTargetRef": target, "targetCPUUtilizationPercentage": 70}
    made = http.post(old, json=named({"spec": spec})).json()
    assert made["spec"] == {**spec, "minReplicas": 1}
    path = f"{place(RESOURCES['horizontalpodautoscalers'])}/{made['metadata']['name']}"
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}}
    assert http.get(path).json()["spec"]["metrics"] == [cpu]
    memory = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}
    assert http.patch(path, json={"spec": {"metrics": [cpu, memory]}}, headers=MERGE).status_code == 200
    seen = http.get(f"{old}/{made['metadata']['name']}").json()
    assert seen["spec"]["targetCPUUtilizationPercentage"] == 70
    assert http.put(f"{old}/{made['metadata']['name']}", json={**seen, "spec": {**seen["spec"], "maxReplicas": 6}}).status_code == 200
    after = http.get(path).json()
    assert (after["spec"]["metrics"], after["spec"]["maxReplicas"]) == ([cpu, memory], 6)
    assert "annotations" not in after["metadata"]


def test_a_creator_owns_what_it_set_and_not_what_is_always_there(http) -> None:
    found = created(http, "deployments", DEPLOYMENT)
    [entry] = found["metadata"]["managedFields"]
    spec = entry["fieldsV1"]["f:spec"]
    assert "." not in spec
    assert "." not in spec["f:strategy"]
    assert spec["f:selector"] == {}
    containers = spec["f:template"]["f:spec"]["f:containers"]
    assert set(containers) == {'k:{"name":"c"}'}
    assert containers['k:{"name":"c"}']["."] == {}
    assert set(entry["fieldsV1"]) == {"f:spec"}


def test_an_event_is_the_same_in_both_groups(http) -> None:
    event = {"regarding": {"kind": "Pod", "name": "a", "namespace": "default"}, "note": "said", "reason": "Why", "reportingController": "me", "eventTime": "2026-01-01T00:00:00.000001Z", "type": "Normal", "action": "do", "reportingInstance": "me-1"}  # fmt: skip
    made = http.post("/apis/events.k8s.io/v1/namespaces/default/events", json=named(event)).json()
    assert {name: made[name] for name in event} == event
    seen = http.get(f"/api/v1/namespaces/default/events/{made['metadata']['name']}").json()
    assert (seen["involvedObject"], seen["message"], seen["reportingComponent"]) == (event["regarding"], "said", "me")


def test_an_eviction_deletes_what_no_budget_holds(http) -> None:
    pod = created(http, "pods", {"metadata": {"labels": {"app": "evicted"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}})
    path = f"{place(RESOURCES['pods'])}/{pod['metadata']['name']}"
    running = {"status": {"phase": "Running"}}
    assert http.patch(f"{path}/status", json=running, headers=MERGE).status_code == 200
    budget = created(http, "poddisruptionbudgets", {"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "evicted"}}}})
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod["metadata"]["name"]}}
    refused = http.post(f"{path}/eviction", json=eviction)
    assert (refused.status_code, refused.json()["reason"]) == (429, "TooManyRequests")
    http.delete(f"{place(RESOURCES['poddisruptionbudgets'])}/{budget['metadata']['name']}")
    assert http.post(f"{path}/eviction", json=eviction).status_code == 201
    assert http.get(path).status_code == 404
    assert http.post(f"{path}/eviction", json=eviction).status_code == 404


def test_the_priorities_of_the_system_are_there_and_stay(http) -> None:
    path = place(RESOURCES["priorityclasses"])
    assert http.get(f"{path}/system-node-critical").json()["value"] == 2_000_001_000
    assert http.delete(f"{path}/system-node-critical").status_code == 403


def _cells(http: httpx.Client, plural: str, name: str) -> dict[str, Any]:
    table = http.get(f"{place(RESOURCES[plural])}/{name}", headers=TABLE).json()
    return dict(zip((column["name"] for column in table["columnDefinitions"]), table["rows"][0]["cells"], strict=True))


@pytest.mark.parametrize("case", DATA["stored"], ids=lambda case: case["kind"])
def test_every_kind_is_shown_as_a_table(http, case) -> None:
    found = created(http, case["kind"], case["object"])
    cells = _cells(http, case["kind"], found["metadata"]["name"])
    assert found["metadata"]["name"] in cells.values()
    assert len(cells) == len(RESOURCES[case["kind"]].columns)


def test_tables_say_what_kubectl_prints(http) -> None:
    deployment = created(http, "deployments", DEPLOYMENT)["metadata"]["name"]
    status = {"status": {"replicas": 1, "readyReplicas": 1, "updatedReplicas": 1, "availableReplicas": 1}}
    http.patch(f"{place(RESOURCES['deployments'])}/{deployment}/status", json=status, headers=MERGE)
    shown = _cells(http, "deployments", deployment)
    assert (shown["Ready"], shown["Up-to-date"], shown["Images"], shown["Selector"]) == ("1/1", "1", "c", "a=b")
    waiting = {"containerStatuses": [{"name": "c", "image": "c", "imageID": "", "ready": False, "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}  # fmt: skip
    pod = created(http, "pods", {"spec": {"containers": [{"name": "c", "image": "c"}], "nodeName": "here"}})["metadata"]["name"]
    assert http.patch(f"{place(RESOURCES['pods'])}/{pod}/status", json={"status": waiting}, headers=MERGE).status_code == 200
    shown = _cells(http, "pods", pod)
    assert (shown["Ready"], shown["Status"], shown["Restarts"], shown["Node"], shown["IP"]) == (
        "0/1",
        "CrashLoopBackOff",
        "2",
        "here",
        "<none>",
    )
    times = {"startTime": "2026-01-01T00:00:00Z", "completionTime": "2026-01-01T00:01:30Z", "succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}  # fmt: skip
    job = created(http, "jobs", {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "c"}], "restartPolicy": "Never"}}}})
    http.patch(f"{place(RESOURCES['jobs'])}/{job['metadata']['name']}/status", json={"status": times}, headers=MERGE)
    shown = _cells(http, "jobs", job["metadata"]["name"])
    assert (shown["Status"], shown["Completions"], shown["Duration"]) == ("Complete", "1/1", "90s")
    service = created(http, "services", {"spec": {"type": "LoadBalancer", "ports": [{"port": 80, "nodePort": 30080}]}})
    shown = _cells(http, "services", service["metadata"]["name"])
    assert (shown["External-IP"], shown["Port(s)"]) == ("<pending>", "80:30080/TCP")
