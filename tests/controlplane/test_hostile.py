"""Whatever is sent, the answer is a refusal and never a failure of the server."""

from __future__ import annotations

import copy
import random
from pathlib import Path

import pytest
import yaml

FILES = Path(__file__).parent / "conformance" / "files"
JUNK = [None, True, 0, -1, 2**70, 1.5, "", "a", "x" * 300, [], [None], {}, {"a": None}, [[1]], {"a": {"b": []}}]
ROUNDS = 60
PLACES = {
    "Widget": "/apis/conformance.example.dev/v1alpha1/namespaces/default/widgets",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Secret": "/api/v1/namespaces/default/secrets",
    "ConfigMap": "/api/v1/namespaces/default/configmaps",
    "ServiceAccount": "/api/v1/namespaces/default/serviceaccounts",
    "Event": "/api/v1/namespaces/default/events",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
    "Lease": "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    "Job": "/apis/batch/v1/namespaces/default/jobs",
    "Pod": "/api/v1/namespaces/default/pods",
    "Namespace": "/api/v1/namespaces",
    "Deployment": "/apis/apps/v1/namespaces/default/deployments",
    "Service": "/api/v1/namespaces/default/services",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
REVIEWS = {
    "SelfSubjectAccessReview": "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "SubjectAccessReview": "/apis/authorization.k8s.io/v1/subjectaccessreviews",
    "SelfSubjectRulesReview": "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
    "TokenReview": "/apis/authentication.k8s.io/v1/tokenreviews",
    "TokenRequest": "/api/v1/namespaces/default/serviceaccounts/default/token",
}
_POD = {"containers": [{"name": "a", "image": "b", "env": [{"name": "c", "value": "d"}]}]}
_MORE = [
    {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {"template": {"spec": {**_POD, "restartPolicy": "Never"}}},
    },
    {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": _POD},
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n", "labels": {"a": "b"}}},
    {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": _POD},
        },
    },
    {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}},
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r", "labels": {"a": "b"}},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        "aggregationRule": {
            "clusterRoleSelectors": [{"matchLabels": {"c": "d"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}]
        },
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "a", "namespace": "default"}],
        "roleRef": {"kind": "ClusterRole", "name": "r", "apiGroup": "rbac.authorization.k8s.io"},
    },
]
_ASKED = {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}
_QUESTIONS = {
    "SelfSubjectAccessReview": {"spec": _ASKED},
    "SubjectAccessReview": {"spec": {**_ASKED, "user": "a", "groups": ["b"], "uid": "c", "extra": {"d": ["e"]}}},
    "SelfSubjectRulesReview": {"spec": {"namespace": "default"}},
    "TokenReview": {"spec": {"token": "a.b.c", "audiences": ["d"]}},
    "TokenRequest": {"metadata": {}, "spec": {"audiences": ["a"], "expirationSeconds": 600, "boundObjectRef": None}},
}


def _samples() -> dict[str, dict]:
    documents = [*_MORE]
    for name in ("a.yaml", "crd.yaml", "core.yaml", "event.yaml"):
        documents += list(yaml.safe_load_all((FILES / name).read_text()))
    return {document["kind"]: document for document in documents}


SAMPLES = _samples()


def _places(value: object) -> list[tuple[object, object]]:
    """Every container with each of its keys."""
    found: list[tuple[object, object]] = []
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        found += [(value, key), *_places(value[key])]
    return found


def _failed(answer) -> bool:
    """A configuration that does not fit its schema is refused with a 500, by the real server too; its own failures have a reason."""
    return answer.status_code >= 500 and not answer.json()["message"].startswith("failed to create typed patch object")


@pytest.mark.parametrize("kind", PLACES)
def test_nothing_that_is_sent_makes_the_server_fail(http, widgets, kind: str) -> None:
    chance = random.Random(kind)
    for round_ in range(ROUNDS):
        obj = copy.deepcopy(SAMPLES[kind])
        container, key = chance.choice(_places(obj))
        container[key] = chance.choice(JUNK)
        made = http.post(PLACES[kind], json=obj, params={"dryRun": "All", "fieldValidation": chance.choice(["Strict", "Warn"])})
        assert not _failed(made), (round_, obj, made.text)
        kind_of_patch = chance.choice(["merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml", "json-patch+json"])
        name = (SAMPLES[kind].get("metadata") or {})["name"]
        patched = http.patch(
            f"{PLACES[kind]}/{name}",
            json=[{"op": "add", "path": f"/{key}", "value": container[key]}] if kind_of_patch.startswith("json") else obj,
            headers={"Content-Type": f"application/{kind_of_patch}"},
            params={"dryRun": "All", "fieldManager": "test"},
        )
        assert not _failed(patched), (round_, kind_of_patch, obj, patched.text)


@pytest.mark.parametrize("kind", REVIEWS)
def test_no_question_makes_the_server_fail(http, kind: str) -> None:
    chance = random.Random(kind)
    for _ in range(ROUNDS):
        obj = copy.deepcopy(_QUESTIONS[kind])
        container, key = chance.choice(_places(obj))
        container[key] = chance.choice(JUNK)
        asked = http.post(REVIEWS[kind], json=obj)
        assert asked.status_code < 500, (obj, asked.text)


@pytest.mark.parametrize("kind", PLACES)
def test_what_is_stored_can_be_shown_as_a_table(http, widgets, kind: str) -> None:
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    if kind != "CustomResourceDefinition":
        assert http.post(PLACES[kind], json=SAMPLES[kind]).status_code == 201
    shown = http.get(PLACES[kind], headers=accept).json()
    assert shown["kind"] == "Table"
    widths = {len(row["cells"]) for row in shown["rows"]}
    assert widths == {len(shown["columnDefinitions"])}
