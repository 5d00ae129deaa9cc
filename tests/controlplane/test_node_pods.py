"""Pods as processes of this machine: where they run, and what they get."""

from __future__ import annotations

import base64
import json
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.controlplane.conftest import Server
from tests.controlplane.machine import NODE, Machine, condition, container, machine, phase, python, secret, waiting

SHOW = "import json, os; print(json.dumps(dict(os.environ)))"
Object = dict[str, Any]


@pytest.fixture(scope="module")
def here(server: Server) -> Iterator[Machine]:
    with machine(server) as running:
        yield running


def environment(here: Machine, pod: str) -> dict[str, str]:
    here.wait(pod, phase("Succeeded"))
    return json.loads(here.log(pod))


# -- scheduling


def test_the_node_is_ready(here) -> None:
    node = here.http.get(f"/api/v1/nodes/{NODE}").json()
    assert (condition(node, "Ready")["status"], node["status"]["addresses"][0]["address"]) == ("True", "127.0.0.1")
    assert node["status"]["capacity"].keys() == {"cpu", "memory", "pods"}


@pytest.mark.parametrize("image", ["tool", "tool:v1", "a/b/tool@sha256:" + "0" * 64, "localhost:5000/tool"])
def test_an_image_is_known_by_its_name(here, image) -> None:
    pod = here.wait(here.pod("print(1)", image=image), phase("Succeeded"))
    assert (pod["spec"]["nodeName"], condition(pod, "PodScheduled")["status"]) == (NODE, "True")


MOUNT = {"volumeMounts": [{"name": "data", "mountPath": "/data"}]}
DATA = {"volumes": [{"name": "data", "emptyDir": {}}]}


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"image": "nginx"}, 'runs only images named tool; container main uses image "nginx"'),
        ({"image": "x/toolbox:v1"}, 'container main uses image "x/toolbox:v1"'),
        ({**MOUNT, "pod": DATA}, "container main mounts volume data at /data, and only an emptyDir at /tmp can be had (as TMPDIR)"),
        ({"livenessProbe": {"exec": {"command": ["true"]}}}, "container main has a livenessProbe, which needs a container runtime"),
        ({"pod": {"nodeSelector": {"disk": "fast"}}}, "it has not the labels of spec.nodeSelector"),
        ({"pod": {"initContainers": [python("", name="a", restartPolicy="Always")]}}, "init container a has a restartPolicy of its own"),
    ],
)
def test_what_cannot_run_here_stays_pending_and_says_why(here, made, told) -> None:
    name = here.pod("print(1)", **made)
    pod = here.wait(name, lambda pod: condition(pod, "PodScheduled"))
    found = condition(pod, "PodScheduled")
    assert (pod["status"]["phase"], found["status"], found["reason"]) == ("Pending", "False", "Unschedulable")
    assert found["message"].startswith(f"0/1 nodes are available: 1 node {NODE} can't run it: ")
    assert told in found["message"]
    assert here.wait_event(name, "FailedScheduling") == found["message"]
    here.delete(name)


def test_a_pod_of_another_scheduler_or_node_is_left_alone(here) -> None:
    mirror = {"annotations": {"kubernetes.io/config.mirror": "x"}}
    others = [
        here.pod("print(1)", pod={"schedulerName": "mine"}),
        here.pod("print(1)", pod={"nodeName": "elsewhere"}),
        here.pod("print(1)", pod={"nodeName": NODE}, metadata=mirror),
    ]
    here.wait(here.pod("print(1)"), phase("Succeeded"))
    assert [here.get(name)["status"] for name in others] == [{"phase": "Pending", **rest(here.get(name)["status"])} for name in others]
    for name in others:
        here.delete(name, gracePeriodSeconds=0)


def rest(status: Object) -> Object:
    """What an API server itself says at a Pod's creation."""
    return {name: value for name, value in status.items() if name == "qosClass"}


# -- environment


def test_the_environment_is_the_containers_own(here, monkeypatch) -> None:
    name = here.pod(
        SHOW,
        env=[{"name": "A", "value": "1"}],
        pod={"volumes": [{"name": "t", "emptyDir": {}}]},
        volumeMounts=[{"name": "t", "mountPath": "/tmp"}],
    )
    found = environment(here, name)
    ours = {"PATH", "HOME", "TMPDIR", "HOSTNAME", "TERMINATION_MESSAGE_PATH", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"}
    assert found.keys() - {"LC_CTYPE"} == ours | {"A"}
    assert (found["HOSTNAME"], found["KUBERNETES_SERVICE_HOST"]) == (name, "127.0.0.1")
    assert found["PATH"].startswith(str(Path(sys.executable).parent))
    assert Path(found["HOME"]).is_dir()
    assert Path(found["TMPDIR"]).is_dir()


def test_variables_come_from_everywhere(here) -> None:
    keys = secret(here, {"url": "sql://u:p@h/d", "other": "x"})
    config = secret(here, {"colour": "red", "url": "of the config map", "A": "config"}, "configmaps")
    env = [
        {"name": "A", "value": "a$(B)"},
        {"name": "B", "value": "b"},
        {"name": "C", "value": "$(A) $(B) $$(B) $(NONE) $"},
        {"name": "URL", "valueFrom": {"secretKeyRef": {"name": keys, "key": "url"}}},
        {"name": "COLOUR", "valueFrom": {"configMapKeyRef": {"name": config, "key": "colour"}}},
        {"name": "NOT", "valueFrom": {"secretKeyRef": {"name": keys, "key": "none", "optional": True}}},
        {"name": "NOR", "valueFrom": {"configMapKeyRef": {"name": "none", "key": "none", "optional": True}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "LABEL", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['app']"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "ACCOUNT", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
        {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu", "divisor": "1m"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "requests.memory", "divisor": "1Mi"}}},
    ]
    sources = [
        {"prefix": "S_", "secretRef": {"name": keys}},
        {"configMapRef": {"name": config}},
        {"secretRef": {"name": "none", "optional": True}},
    ]
    resources = {"limits": {"cpu": "1500m"}, "requests": {"memory": "100M"}}
    name = here.pod(SHOW, env=env, envFrom=sources, resources=resources, metadata={"labels": {"app": "it"}})
    found = environment(here, name)
    wanted = {
        "A": "a$(B)", "B": "b", "C": "a$(B) b $(B) $(NONE) $", "URL": "sql://u:p@h/d", "COLOUR": "red", "NAME": name, "LABEL": "it",
        "NODE": NODE, "ACCOUNT": "default", "IP": "127.0.0.1", "CPU": "1500", "MEMORY": "96", "S_url": "sql://u:p@h/d", "S_other": "x",
        "colour": "red", "url": "of the config map",
    }  # fmt: skip
    assert {key: found.get(key) for key in wanted} == wanted
    assert not found.keys() & {"NOT", "NOR"}


def test_command_and_arguments_are_expanded_and_begin_where_they_are_told(here, tmp_path) -> None:
    script = "import os, sys; print(os.getcwd(), sys.argv[1:])"
    args = ["-c", script, "$(A)", "$$(A)", "$(NONE)"]
    name = here.pod(
        "",
        command=["$(PROGRAM)"],
        args=args,
        workingDir=str(tmp_path),
        env=[{"name": "A", "value": "x"}, {"name": "PROGRAM", "value": sys.executable}],
    )
    here.wait(name, phase("Succeeded"))
    assert here.log(name) == f"{tmp_path} ['x', '$(A)', '$(NONE)']\n"


@pytest.mark.parametrize(
    ("plural", "reference", "told"),
    [
        ("secrets", "secretKeyRef", 'secret "{0}" not found'),
        ("configmaps", "configMapKeyRef", 'configmap "{0}" not found'),
    ],
)
def test_what_is_missing_is_told_and_awaited(here, plural, reference, told) -> None:
    missing = f"m{uuid.uuid4().hex[:10]}"
    name = here.pod("import os; print(os.environ['A'])", env=[{"name": "A", "valueFrom": {reference: {"name": missing, "key": "k"}}}])
    pod = here.wait(name, waiting("CreateContainerConfigError"))
    assert container(pod)["state"]["waiting"]["message"] == told.format(missing)
    assert here.wait_event(name, "Failed") == f"Error: {told.format(missing)}"
    refused = here.http.get(f"{here.path('Pod', name)}/log")
    assert refused.json()["message"] == f'container "main" in pod "{name}" is waiting to start: CreateContainerConfigError'
    secret(here, {"other": "x"}, plural, missing)
    kind = "Secret" if plural == "secrets" else "ConfigMap"
    here.wait(
        name, lambda pod: container(pod)["state"].get("waiting", {}).get("message") == f"couldn't find key k in {kind} default/{missing}"
    )
    value = base64.b64encode(b"found").decode() if plural == "secrets" else "found"
    merge = {"Content-Type": "application/merge-patch+json"}
    here.http.patch(f"/api/v1/namespaces/default/{plural}/{missing}", json={"data": {"k": value}}, headers=merge)
    here.wait(name, phase("Succeeded"))
    assert here.log(name) == "found\n"


def test_an_account_gets_a_kubeconfig_with_its_rights(here, kubectl_path) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    name = f"a{uuid.uuid4().hex[:10]}"
    script = f"import os, subprocess; subprocess.run([{kubectl_path!r}, 'auth', 'whoami', '-o', 'jsonpath={{.status.userInfo.username}}'])"
    pod = here.pod(script, pod={"serviceAccountName": name})
    found = here.wait(pod, waiting("CreateContainerConfigError"))
    assert container(found)["state"]["waiting"]["message"] == f'serviceaccount "{name}" not found'
    assert here.http.post(accounts, json={"metadata": {"name": name}}).status_code == 201
    here.wait(pod, phase("Succeeded"))
    assert f"system:serviceaccount:default:{name}" in here.log(pod)
    without = here.pod(SHOW, pod={"serviceAccountName": name, "automountServiceAccountToken": False})
    assert "KUBECONFIG" not in environment(here, without)
