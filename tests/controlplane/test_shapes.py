"""Definitions as people bring them: large, deep, of several versions, with all that schemas have."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
import yaml

from tests.controlplane.data.shapes import definition

V1, BETA, ALPHA = (f"/apis/shapes.example/{version}/namespaces/default/monitors" for version in ("v1", "v1beta1", "v1alpha1"))
Object = dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def defined(http: httpx.Client) -> str:
    text = yaml.safe_dump(json.loads(json.dumps(definition())), sort_keys=False)  # without anchors
    assert text.count("\n") > 2000
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    made = http.post(path, content=text, headers={"Content-Type": "application/yaml"})
    assert made.status_code == 201, made.text
    held = http.get(f"{path}/monitors.shapes.example").json()
    assert {one["type"]: one["status"] for one in held["status"]["conditions"]} == {"Established": "True", "NamesAccepted": "True"}
    return text


def monitor(name: str, version: str = "v1", **spec: Any) -> Object:
    wanted = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": f"shapes.example/{version}", "kind": "Monitor", "metadata": {"name": name}, "spec": wanted}


def created(http: httpx.Client, path: str, body: Object) -> Object:
    made = http.post(path, params={"fieldValidation": "Strict"}, json=body)
    assert made.status_code == 201, made.text
    found: Object = made.json()
    return found


def test_defaults_reach_the_deepest_level(http: httpx.Client) -> None:
    probe = {"httpGet": {"port": "web"}}
    container = {"name": "main", "ports": [{"containerPort": 80}], "livenessProbe": probe, "env": [{"name": "A", "value": "b"}]}
    held = created(http, V1, monitor("deep", containers=[container], sidecars={"proxy": {"name": "proxy", "livenessProbe": probe}}))
    [main] = held["spec"]["containers"]
    assert main["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    expected = {"httpGet": {"port": "web", "scheme": "HTTP"}, "periodSeconds": 10}
    assert (main["livenessProbe"], held["spec"]["sidecars"]["proxy"]["livenessProbe"]) == (expected, expected)
    assert (held["spec"]["replicas"], held["spec"]["retention"]) == (1, "24h")


def test_ports_and_quantities_are_integers_or_text(http: httpx.Client) -> None:
    resources = {"limits": {"cpu": 2, "memory": "1Gi"}, "requests": {"cpu": "250m"}}
    held = created(
        http,
        V1,
        monitor("either", endpoints=[{"targetPort": 80}, {"targetPort": "web"}], containers=[{"name": "a", "resources": resources}]),
    )
    assert [endpoint["targetPort"] for endpoint in held["spec"]["endpoints"]] == [80, "web"]
    assert held["spec"]["containers"][0]["resources"] == resources
    wrong = http.post(V1, json=monitor("neither", endpoints=[{"targetPort": 1.5}, {"targetPort": True}]))
    assert wrong.status_code == 422
    assert "spec.endpoints[0].targetPort" in wrong.json()["message"]


def test_what_is_preserved_stays_and_what_is_unknown_goes(http: httpx.Client) -> None:
    settings = {"any": [1, {"of": "this"}], "big": 9007199254740993}
    template = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"a": "b"}}, "spec": {"whatever": True}}
    held = created(http, V1, monitor("kept", settings=settings, template=template))
    assert (held["spec"]["settings"], held["spec"]["template"]) == (settings, template)
    pruned = http.post(V1, json=monitor("pruned", affinity={"podAffinity": {"unknown": 1}}, typo=1)).json()
    assert pruned["spec"]["affinity"] == {"podAffinity": {}}
    strict = http.post(V1, params={"fieldValidation": "Strict"}, json=monitor("strict", affinity={"podAffinity": {"unknown": 1}}, typo=1))
    assert 'unknown field "spec.affinity.podAffinity.unknown", unknown field "spec.typo"' in strict.json()["message"]
    headless = http.post(V1, json=monitor("headless", template={"spec": {}}))
    assert "spec.template.apiVersion: Required value" in headless.json()["message"]


def test_each_version_shows_one_stored_object(http: httpx.Client) -> None:
    made = created(http, BETA, monitor("shared", "v1beta1", tier="silver", jobLabel="app"))
    assert (made["apiVersion"], made["spec"]["jobLabel"]) == ("shapes.example/v1beta1", "app")
    stored = http.get(f"{V1}/shared").json()
    assert (stored["apiVersion"], stored["spec"]["jobLabel"], "tier" in stored["spec"]) == ("shapes.example/v1", "app", False)
    headers = {"Content-Type": "application/merge-patch+json"}
    changed = http.patch(f"{V1}/shared", content=json.dumps({"spec": {"limits": {"rows": 9007199254740993}}}), headers=headers).json()
    assert changed["spec"]["limits"] == {"rows": 9007199254740993}
    older = http.get(f"{ALPHA}/shared").json()
    assert (older["apiVersion"], "limits" in older["spec"], older["metadata"]["uid"]) == (
        "shapes.example/v1alpha1",
        False,
        made["metadata"]["uid"],
    )
    listed = http.get(BETA).json()
    assert {item["apiVersion"] for item in listed["items"]} == {"shapes.example/v1beta1"}


def test_lists_by_keys_merge_when_they_are_applied(http: httpx.Client) -> None:
    def apply(manager: str, *containers: Object) -> Object:
        body = json.dumps(monitor("merged", containers=list(containers)))
        headers = {"Content-Type": "application/apply-patch+yaml"}
        answer = http.patch(f"{V1}/merged", params={"fieldManager": manager}, content=body, headers=headers)
        assert answer.is_success, answer.text
        found: Object = answer.json()["spec"]
        return found

    apply("one", {"name": "a", "env": [{"name": "X", "value": "1"}]})
    both = apply("two", {"name": "b"}, {"name": "a", "env": [{"name": "Y", "value": "2"}]})
    assert {one["name"]: [env["name"] for env in one.get("env", [])] for one in both["containers"]} == {"a": ["X", "Y"], "b": []}
    less = apply("two", {"name": "a"})
    assert [(one["name"], [env["name"] for env in one["env"]]) for one in less["containers"]] == [("a", ["X"])]


def test_kubectl_scales_explains_and_applies_it(http: httpx.Client, kubectl: Any, defined: str) -> None:
    created(http, V1, monitor("scaled"))
    assert kubectl("scale", "monitor/scaled", "--replicas=3").stdout == "monitor.shapes.example/scaled scaled\n"
    assert http.get(f"{V1}/scaled/scale").json()["spec"] == {"replicas": 3}
    assert kubectl("get", "mon", "scaled").stdout.split()[-2:] == ["scaled", "3"]
    assert kubectl("get", "monitors.v1beta1.shapes.example", "scaled", "-o", "jsonpath={.apiVersion}").stdout == "shapes.example/v1beta1"
    deep = "monitors.spec.containers.livenessProbe.httpGet.scheme"
    assert "FIELD: scheme <string>" in kubectl("explain", deep).stdout
    assert "FIELD: targetPort" in kubectl("explain", "monitors.spec.endpoints.targetPort", "--api-version=shapes.example/v1beta1").stdout
    again = kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=defined)
    assert again.stdout == "customresourcedefinition.apiextensions.k8s.io/monitors.shapes.example serverside-applied\n", again.stderr
