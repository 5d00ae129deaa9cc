"""The roles of the start, nobody gives what he has not, impersonation, and what is wrong with a role or a binding."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

from tests.controlplane.policies import APPLY, MERGE, RBAC, SECRETS, message, secrets

# -- the roles of the start


def test_view_edit_and_admin_are_put_together(http, policy, account) -> None:
    base = f"/api/v1/namespaces/{account.namespace}"

    def codes() -> list[int]:
        paths = (f"{base}/pods", f"{base}/secrets", f"{RBAC}/namespaces/{account.namespace}/roles")
        return [account.http.get(path).status_code for path in paths]

    assert codes() == [403, 403, 403]
    for role, expected in (("view", [200, 403, 403]), ("edit", [200, 200, 403]), ("admin", [200, 200, 200])):
        policy.bind(account.subject, "ClusterRole", role, namespace=account.namespace)
        assert codes() == expected


def test_a_role_joins_an_aggregate_by_its_label(http, policy, account) -> None:
    label = f"test.dev/{uuid.uuid4().hex[:8]}"
    selector = {"matchExpressions": [{"key": label, "operator": "In", "values": ["yes"]}]}
    whole = policy.post("clusterroles", {"aggregationRule": {"clusterRoleSelectors": [selector]}})
    policy.bind(account.subject, "ClusterRole", whole)
    part = policy.post("clusterroles", {"metadata": {"name": f"part-{uuid.uuid4().hex[:6]}", "labels": {label: "yes"}}, "rules": [SECRETS]})
    assert account.http.get("/api/v1/secrets").status_code == 200
    assert http.get(f"{RBAC}/clusterroles/{whole}").json()["rules"] == [SECRETS]
    assert http.patch(f"{RBAC}/clusterroles/{part}", json={"metadata": {"labels": {label: "no"}}}, headers=MERGE).status_code == 200
    assert account.http.get("/api/v1/secrets").status_code == 403


def test_aggregates_that_select_each_other_come_to_rest(http, policy) -> None:
    label = f"test.dev/{uuid.uuid4().hex[:8]}"
    rule = {"clusterRoleSelectors": [{"matchLabels": {label: "yes"}}]}
    for _ in range(2):
        policy.post("clusterroles", {"metadata": {"name": f"a{uuid.uuid4().hex[:8]}", "labels": {label: "yes"}}, "aggregationRule": rule})
    policy.post("clusterroles", {"metadata": {"name": f"b{uuid.uuid4().hex[:8]}", "labels": {label: "yes"}}, "rules": [SECRETS]})
    found = http.get(f"{RBAC}/clusterroles", params={"labelSelector": label}).json()["items"]
    assert [role["rules"] for role in found] == [[SECRETS]] * 3


# -- nobody gives what he has not


@pytest.fixture
def manager(policy, account):
    """May write roles and bindings of his namespace, and read Secrets there."""
    written = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "rolebindings"], "verbs": ["create", "update", "patch"]}
    policy.grant(account, written, SECRETS)
    return account


def test_a_role_with_more_than_one_has_is_refused(manager) -> None:
    path = f"{RBAC}/namespaces/{manager.namespace}/roles"
    more = {"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["get", "delete"]}
    refused = manager.http.post(path, json={"metadata": {"name": "more"}, "rules": [more]})
    groups = f'["system:serviceaccounts" "system:serviceaccounts:{manager.namespace}" "system:authenticated"]'
    assert message(refused) == (
        f'roles.rbac.authorization.k8s.io "more" is forbidden: user "{manager.user}" (groups={groups}) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{APIGroups:[""], Resources:["pods"], Verbs:["get" "delete"]}\n'
        '{APIGroups:[""], Resources:["secrets"], Verbs:["delete"]}'
    )
    held = {**SECRETS, "resourceNames": ["one"]}
    assert manager.http.post(path, json={"metadata": {"name": "held"}, "rules": [held]}).status_code == 201
    grown = manager.http.patch(f"{path}/held", json={"rules": [held, more]}, headers=MERGE)
    assert "not currently held" in message(grown)
    assert manager.http.patch(f"{path}/held", json={"metadata": {"labels": {"a": "b"}}}, headers=MERGE).status_code == 200


@pytest.mark.parametrize("role", ["cluster-admin", "edit", "view"])
def test_binding_a_role_with_more_than_one_has_is_refused(manager, role) -> None:
    body = {"metadata": {"name": "b"}, "subjects": [manager.subject], "roleRef": {"kind": "ClusterRole", "name": role}}
    refused = manager.http.post(f"{RBAC}/namespaces/{manager.namespace}/rolebindings", json=body)
    assert "is attempting to grant RBAC permissions not currently held" in message(refused)


def test_binding_no_role_is_refused(manager) -> None:
    body = {"metadata": {"name": "b"}, "subjects": [manager.subject], "roleRef": {"kind": "Role", "name": "nothing"}}
    refused = manager.http.post(f"{RBAC}/namespaces/{manager.namespace}/rolebindings", json=body)
    assert (refused.status_code, refused.json()["message"]) == (404, 'roles.rbac.authorization.k8s.io "nothing" not found')


def test_the_verbs_bind_and_escalate_allow_it(policy, manager) -> None:
    both = {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles", "clusterroles"], "verbs": ["bind", "escalate"]}
    policy.grant(manager, both)
    base = f"{RBAC}/namespaces/{manager.namespace}"
    role = {"metadata": {"name": "all"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}
    assert manager.http.post(f"{base}/roles", json=role).status_code == 201
    binding = {"metadata": {"name": "all"}, "subjects": [manager.subject], "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}}
    assert manager.http.post(f"{base}/rolebindings", json=binding).status_code == 201
    assert manager.http.get(f"/api/v1/namespaces/{manager.namespace}/pods").status_code == 200
    assert manager.http.get("/api/v1/namespaces/default/pods").status_code == 403


def test_an_aggregate_is_for_those_who_may_do_everything(policy, account) -> None:
    policy.grant_everywhere(account, {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"], "verbs": ["create"]})
    rule = {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}
    refused = account.http.post(f"{RBAC}/clusterroles", json={"metadata": {"name": "x"}, "aggregationRule": rule})
    assert message(refused).endswith("must have cluster-admin privileges to use an aggregationRule")


def test_an_apply_that_creates_needs_the_right_to_create(http, policy, account) -> None:
    policy.grant(account, {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]})
    path = f"/api/v1/namespaces/{account.namespace}/configmaps/c"
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "b"}}

    def apply(client: httpx.Client, **more: str) -> httpx.Response:
        return client.patch(path, content=json.dumps(config), headers=APPLY, params={"fieldManager": "test", "force": "true", **more})

    refused = apply(account.http)
    assert message(refused).startswith(f'configmaps "c" is forbidden: User "{account.user}" cannot create resource "configmaps"')
    assert apply(http).status_code == 201
    assert apply(account.http).status_code == 200


# -- impersonation


def test_the_administrator_may_be_anybody(server, http, policy, account) -> None:
    policy.grant(account, SECRETS)
    as_account = server.client(headers={"Impersonate-User": account.user})
    assert as_account.get(secrets(account.namespace)).status_code == 200
    assert message(as_account.get(secrets("default"))).startswith(f'secrets is forbidden: User "{account.user}" cannot list')
    as_group = server.client(headers={"Impersonate-User": "ann", "Impersonate-Group": "system:masters"})
    assert as_group.get(secrets("default")).status_code == 200
    headers = {"Impersonate-User": "ann", "Impersonate-Uid": "7", "Impersonate-Extra-Team%2fName": "north", "Impersonate-Group": "g"}
    told = server.client(headers=headers).post("/apis/authentication.k8s.io/v1/selfsubjectreviews", json={}).json()["status"]["userInfo"]
    assert told == {"username": "ann", "uid": "7", "groups": ["g", "system:authenticated"], "extra": {"team/name": ["north"]}}


def test_impersonation_is_a_right(policy, account) -> None:
    def refused(**headers: str) -> str:
        return message(account.http.get("/api", headers={name.replace("_", "-"): value for name, value in headers.items()}))

    user = f'User "{account.user}"'
    assert refused(Impersonate_User="ann") == (
        f'users "ann" is forbidden: {user} cannot impersonate resource "users" in API group "" at the cluster scope'
    )
    assert refused(impersonate_user="system:serviceaccount:default:default") == (
        f'serviceaccounts "default" is forbidden: {user} cannot impersonate resource "serviceaccounts" in API group "" in the namespace "default"'
    )
    policy.grant_everywhere(account, {"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"], "resourceNames": ["ann"]})
    assert account.http.get("/api", headers={"Impersonate-User": "ann"}).status_code == 200
    assert 'cannot impersonate resource "groups"' in refused(Impersonate_User="ann", Impersonate_Group="system:masters")
    assert 'cannot impersonate resource "uids" in API group "authentication.k8s.io"' in refused(Impersonate_User="ann", Impersonate_Uid="1")
    assert 'cannot impersonate resource "userextras/a"' in refused(Impersonate_User="ann", Impersonate_Extra_a="b")


def test_a_group_without_a_user_is_refused(http) -> None:
    assert http.get("/api", headers={"Impersonate-Group": "system:masters"}).status_code == 400


# -- roles and bindings that are wrong


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("roles", {"rules": [{"verbs": []}]}, "rules[0].verbs"),
        ("roles", {"rules": [{"verbs": ["get"], "resources": ["pods"]}]}, "rules[0].apiGroups"),
        ("roles", {"rules": [{"verbs": ["get"], "apiGroups": [""]}]}, "rules[0].resources"),
        ("roles", {"rules": [{"verbs": ["get"], "nonResourceURLs": ["/x"]}]}, "rules[0].nonResourceURLs"),
        ("rolebindings", {"roleRef": {"kind": "Pod", "name": "a"}}, "roleRef.kind"),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": ""}}, "roleRef.name"),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "a", "apiGroup": "b"}}, "roleRef.apiGroup"),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "a"}, "subjects": [{"kind": "Pod", "name": "a"}]}, "subjects[0].kind"),
        ("rolebindings", {"roleRef": {"kind": "Role", "name": "a"}, "subjects": [{"kind": "User", "name": ""}]}, "subjects[0].name"),
    ],
    ids=str,
)
def test_wrong_roles_and_bindings_are_refused(http, path, body, field) -> None:
    refused = http.post(f"{RBAC}/namespaces/default/{path}", json={"metadata": {"name": "wrong"}, **body})
    assert refused.status_code == 422
    assert field in {found["field"] for found in refused.json()["details"]["causes"]}
