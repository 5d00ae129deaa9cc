"""What roles and bindings of every sort grant, and refusals in the words of Kubernetes."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.controlplane.policies import MERGE, RBAC, SECRETS, WIDGET_GROUP, Policy, message, secrets

# -- refusals


@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("GET", "/api/v1/namespaces/{ns}/secrets/s", 'secrets "s" is forbidden: {user} cannot get resource "secrets" in API group "" {here}'),
        ("GET", "/api/v1/namespaces/{ns}/secrets", 'secrets is forbidden: {user} cannot list resource "secrets" in API group "" {here}'),
        ("GET", "/api/v1/namespaces/{ns}/pods?watch=1", 'pods is forbidden: {user} cannot watch resource "pods" in API group "" {here}'),
        ("GET", "/api/v1/pods", 'pods is forbidden: {user} cannot list resource "pods" in API group "" at the cluster scope'),
        ("GET", "/api/v1/namespaces/{ns}/pods/p/log", 'pods "p" is forbidden: {user} cannot get resource "pods/log" in API group "" {here}'),
        ("GET", "/api/v1/namespaces/{ns}", 'namespaces "{ns}" is forbidden: {user} cannot get resource "namespaces" in API group "" {here}'),
        ("GET", "/api/v1/nodes", 'nodes is forbidden: {user} cannot list resource "nodes" in API group "" at the cluster scope'),
        ("POST", "/api/v1/namespaces/{ns}/secrets", 'secrets is forbidden: {user} cannot create resource "secrets" in API group "" {here}'),
        ("DELETE", "/api/v1/namespaces/{ns}/pods", 'pods is forbidden: {user} cannot deletecollection resource "pods" in API group "" {here}'),
        (
            "POST",
            "/api/v1/namespaces/{ns}/serviceaccounts/default/token",
            'serviceaccounts "default" is forbidden: {user} cannot create resource "serviceaccounts/token" in API group "" {here}',
        ),
        (
            "PATCH",
            "/apis/conformance.example.dev/v1alpha1/namespaces/{ns}/widgets/w",
            'widgets.conformance.example.dev "w" is forbidden: {user} cannot patch resource "widgets" in API group '
            '"conformance.example.dev" {here}',
        ),
        (
            "PUT",
            "/apis/conformance.example.dev/v1alpha1/namespaces/{ns}/widgets/w/status",
            'widgets.conformance.example.dev "w" is forbidden: {user} cannot update resource "widgets/status" in API group '
            '"conformance.example.dev" {here}',
        ),
        ("DELETE", "/apis/none.dev/v1/things/t", 'things.none.dev "t" is forbidden: {user} cannot delete resource "things" in API group "none.dev" at the cluster scope'),
        ("GET", "/metrics", 'forbidden: {user} cannot get path "/metrics"'),
        ("POST", "/api", 'forbidden: {user} cannot post path "/api"'),
        ("GET", "/etc//passwd", 'forbidden: {user} cannot get path "/etc//passwd"'),
    ],
)  # fmt: skip
def test_what_is_not_granted_is_refused(account, method, path, said) -> None:
    refused = account.http.request(method, path.format(ns=account.namespace))
    where = f'in the namespace "{account.namespace}"'
    assert message(refused) == said.format(user=f'User "{account.user}"', here=where, ns=account.namespace)


def test_a_refusal_has_its_details(account) -> None:
    path = f"/apis/{WIDGET_GROUP}/v1alpha1/namespaces/{account.namespace}/widgets/w"
    assert account.http.get(path).json()["details"] == {"name": "w", "group": WIDGET_GROUP, "kind": "widgets"}


def test_everybody_may_look_around(account) -> None:
    for path in ("/api", "/apis", "/api/v1", "/apis/apps", "/version", "/openapi/v3", "/openapi/v3/api/v1", "/openapi/v2", "/readyz"):
        assert account.http.get(path).status_code == 200, path


# -- what rules grant


def test_a_role_grants_its_verbs_in_its_namespace_only(http, policy, account) -> None:
    policy.grant(account, SECRETS)
    assert account.http.get(secrets(account.namespace)).status_code == 200
    assert account.http.get(secrets(account.namespace, "none")).status_code == 404
    assert account.http.get(secrets(account.namespace), params={"watch": "1"}).status_code == 403
    for elsewhere in (secrets("default"), "/api/v1/secrets"):
        assert account.http.get(elsewhere).status_code == 403
    assert account.http.post(secrets(account.namespace), json={"metadata": {"name": "s"}}).status_code == 403


def test_a_cluster_role_bound_in_a_namespace_grants_there_only(policy, account) -> None:
    role = policy.post("clusterroles", {"rules": [SECRETS]})
    policy.bind(account.subject, "ClusterRole", role, namespace="default")
    assert account.http.get(secrets("default")).status_code == 200
    assert account.http.get(secrets(account.namespace)).status_code == 403


def test_a_cluster_role_bound_to_the_cluster_grants_everywhere(policy, account) -> None:
    policy.grant_everywhere(account, SECRETS)
    for path in (secrets("default"), secrets(account.namespace), "/api/v1/secrets"):
        assert account.http.get(path).status_code == 200


@pytest.mark.parametrize(
    ("rule", "allowed", "refused"),
    [
        ({"resources": ["pods"]}, ["pods", "pods/p"], ["pods/p/log", "pods/p/status", "secrets"]),
        ({"resources": ["pods/log"]}, ["pods/p/log"], ["pods", "pods/p", "pods/p/status"]),
        ({"resources": ["*/status"]}, ["pods/p/status"], ["pods/p", "pods/p/log"]),
        ({"resources": ["*"]}, ["pods", "pods/p/log", "secrets"], []),
        ({"resources": ["pods/*"]}, [], ["pods/p/log"]),
        ({"resources": ["pods"], "resourceNames": ["p"]}, ["pods/p"], ["pods/q", "pods"]),
        ({"resources": ["pods"], "apiGroups": ["apps"]}, [], ["pods"]),
        ({"resources": ["pods"], "apiGroups": ["*"]}, ["pods"], []),
        ({"resources": ["pods"], "verbs": ["*"]}, ["pods"], []),
        ({"resources": ["pods"], "verbs": ["create"]}, [], ["pods"]),
    ],
    ids=json.dumps,
)
def test_a_rule_grants_what_it_names(policy, account, rule, allowed, refused) -> None:
    policy.grant(account, {"apiGroups": [""], "verbs": ["get", "list"], **rule})
    base = f"/api/v1/namespaces/{account.namespace}"
    assert {path: account.http.get(f"{base}/{path}").status_code == 403 for path in (*allowed, *refused)} == {
        **dict.fromkeys(allowed, False),
        **dict.fromkeys(refused, True),
    }


def test_a_name_may_be_selected_instead_of_given(policy, account) -> None:
    policy.grant(account, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch"], "resourceNames": ["mine"]})
    path = f"/api/v1/namespaces/{account.namespace}/configmaps"

    def code(selector: str) -> int:
        return account.http.get(path, params={"fieldSelector": selector}).status_code

    assert [code("metadata.name=mine"), code("metadata.name==mine,metadata.namespace=x")] == [200, 200]
    assert [code(selector) for selector in ("", "metadata.name=other", "metadata.name!=mine", "metadata.name!=x,x=mine")] == [403] * 4


def test_a_right_to_a_namespace_may_come_from_within(policy, account) -> None:
    policy.grant(account, {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]})
    assert account.http.get(f"/api/v1/namespaces/{account.namespace}").status_code == 200
    assert account.http.get("/api/v1/namespaces/default").status_code == 403


def test_paths_are_granted_by_cluster_roles(policy, account) -> None:
    policy.grant_everywhere(account, {"nonResourceURLs": ["/metrics", "/debug/*"], "verbs": ["get"]})
    paths = ("/metrics", "/debug/a/b", "/metrics/x", "/debug")
    assert [account.http.get(path).status_code for path in paths] == [404, 404, 403, 403]


@pytest.mark.parametrize("kind", ["User", "Group", "ServiceAccount"])
def test_every_kind_of_subject_is_known(policy, account, kind) -> None:
    names = {"User": account.user, "Group": f"system:serviceaccounts:{account.namespace}", "ServiceAccount": account.name}
    subject = {"kind": kind, "name": names[kind], **({"namespace": account.namespace} if kind == "ServiceAccount" else {})}
    role = policy.post("clusterroles", {"rules": [SECRETS]})
    policy.bind(subject, "ClusterRole", role)
    assert account.http.get(secrets("default")).status_code == 200


def test_an_account_of_the_same_name_elsewhere_is_another(policy, new_account) -> None:
    one, other = new_account(), new_account()
    policy.grant_everywhere(one, SECRETS)
    assert (one.http.get(secrets("default")).status_code, other.http.get(secrets("default")).status_code) == (200, 403)


def test_rights_follow_every_change_at_once(http, policy, account) -> None:
    path = secrets(account.namespace)
    role = policy.grant(account, SECRETS)
    assert account.http.get(path).status_code == 200
    roles = f"{RBAC}/namespaces/{account.namespace}/roles/{role}"
    other = [{**SECRETS, "resources": ["configmaps"]}]
    assert http.patch(roles, json={"rules": other}, headers=MERGE).status_code == 200
    assert account.http.get(path).status_code == 403
    assert http.patch(roles, json={"rules": [SECRETS]}, headers=MERGE, params={"dryRun": "All"}).status_code == 200
    assert account.http.get(path).status_code == 403
    assert http.patch(roles, json={"rules": [SECRETS]}, headers=MERGE).status_code == 200
    assert account.http.get(path).status_code == 200
    assert http.delete(roles).status_code == 200
    assert message(account.http.get(path)).endswith(f'{account.namespace}": RBAC: role.rbac.authorization.k8s.io "{role}" not found')


def test_a_binding_may_lose_its_subjects(http, policy, account) -> None:
    role = policy.post("clusterroles", {"rules": [SECRETS]})
    name = policy.bind(account.subject, "ClusterRole", role)
    path = f"{RBAC}/clusterrolebindings/{name}"
    assert account.http.get(secrets("default")).status_code == 200
    assert http.patch(path, json={"subjects": []}, headers=MERGE).status_code == 200
    assert account.http.get(secrets("default")).status_code == 403
    assert http.patch(path, json={"subjects": [account.subject]}, headers=MERGE).status_code == 200
    assert account.http.get(secrets("default")).status_code == 200
    assert http.delete(path).status_code == 200
    assert account.http.get(secrets("default")).status_code == 403


def test_rights_outlive_a_restart(launch, tmp_path) -> None:
    first = launch(tmp_path)
    http = first.client()
    Policy(http).bind({"kind": "ServiceAccount", "namespace": "default", "name": "default"}, "ClusterRole", "view")
    token = http.post("/api/v1/namespaces/default/serviceaccounts/default/token", json={}).json()["status"]["token"]
    http.delete(f"{RBAC}/clusterrolebindings/system:discovery")
    roles = http.get(f"{RBAC}/clusterroles").json()["items"]
    first.stop()
    second = launch(tmp_path)
    robot = second.client(headers={"Authorization": f"Bearer {token}"})
    assert robot.get("/api/v1/pods").status_code == 200
    assert robot.get("/api/v1/secrets").status_code == 403
    assert robot.get("/apis").status_code == 200  # what everybody needs is there again
    assert second.client().get(f"{RBAC}/clusterroles").json()["items"] == roles


# -- kubectl


def test_kubectl_tells_who_can_do_what(kubectl, policy, account) -> None:
    policy.grant(account, SECRETS)

    def can(*arguments: str) -> str:
        return kubectl("auth", "can-i", *arguments, f"--as={account.user}").stdout.strip()

    assert can("list", "secrets", "-n", account.namespace) == "yes"
    assert can("get", "secrets/x", "-n", account.namespace) == "yes"
    assert [can("list", "secrets", "-n", "default"), can("*", "*"), can("get", "pods", "--subresource=log")] == ["no"] * 3
    assert can("get", "/version") == "yes"
    listed = kubectl("auth", "can-i", "--list", "-n", account.namespace, f"--as={account.user}").stdout
    assert "secrets" in listed
    assert "[get list]" in listed


def test_kubectl_writes_roles_and_bindings(kubectl: Callable[..., Any], account) -> None:
    name, here = f"k{uuid.uuid4().hex[:8]}", ("-n", account.namespace)
    assert kubectl("create", "role", name, "--verb=get,list", "--resource=pods,pods/log", *here).returncode == 0
    bound = kubectl("create", "rolebinding", name, f"--role={name}", f"--serviceaccount={account.namespace}:{account.name}", *here)
    assert bound.returncode == 0, bound.stderr
    assert account.http.get(f"/api/v1/namespaces/{account.namespace}/pods").status_code == 200
    assert account.http.get(f"/api/v1/namespaces/{account.namespace}/pods/p/log").status_code == 404
