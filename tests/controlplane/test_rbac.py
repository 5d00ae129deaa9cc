"""Who may do what: roles and bindings of every sort, refusals in the words of Kubernetes, reviews, and nobody gives what he has not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

RBAC = "/apis/rbac.authorization.k8s.io/v1"
WIDGET_GROUP = "conformance.example.dev"
MERGE = {"Content-Type": "application/merge-patch+json"}
APPLY = {"Content-Type": "application/apply-patch+yaml"}
SECRETS = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
Rule = dict[str, Any]


class Policy:
    """Writes roles and bindings as the administrator."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def post(self, path: str, body: dict[str, Any]) -> str:
        name = body.setdefault("metadata", {}).setdefault("name", f"r{uuid.uuid4().hex[:10]}")
        made = self.http.post(f"{RBAC}/{path}", json=body)
        assert made.status_code == 201, made.text
        return name

    def grant(self, account, *rules: Rule, namespace: str = "") -> str:
        """A Role and a RoleBinding in the account's namespace or another."""
        place = f"namespaces/{namespace or account.namespace}"
        name = self.post(f"{place}/roles", {"rules": list(rules)})
        self.bind(account.subject, "Role", name, namespace=namespace or account.namespace)
        return name

    def grant_everywhere(self, account, *rules: Rule) -> str:
        """A ClusterRole and a ClusterRoleBinding."""
        name = self.post("clusterroles", {"rules": list(rules)})
        self.bind(account.subject, "ClusterRole", name)
        return name

    def bind(self, subject: dict[str, str], kind: str, role: str, *, namespace: str = "", name: str = "") -> str:
        body: dict[str, Any] = {"subjects": [subject], "roleRef": {"kind": kind, "name": role}}
        if name:
            body["metadata"] = {"name": name}
        return self.post(f"namespaces/{namespace}/rolebindings" if namespace else "clusterrolebindings", body)


@pytest.fixture
def policy(http: httpx.Client) -> Policy:
    return Policy(http)


def secrets(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" + (f"/{name}" if name else "")


def message(response: httpx.Response) -> str:
    assert (response.status_code, response.json()["reason"]) == (403, "Forbidden"), response.text
    return str(response.json()["message"])


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


# -- reviews


def access(http: httpx.Client, kind: str = "selfsubjectaccessreviews", **spec: Any) -> dict[str, Any]:
    made = http.post(f"/apis/authorization.k8s.io/v1/{kind}", json={"spec": spec})
    assert made.status_code == 201, made.text
    return dict(made.json()["status"])


def test_reviews_answer_truly(http, policy, account) -> None:
    role = policy.grant(account, SECRETS)
    asked = {"namespace": account.namespace, "verb": "get", "resource": "secrets"}
    allowed = access(account.http, resourceAttributes=asked)
    assert allowed["allowed"] is True
    assert allowed["reason"].startswith("RBAC: allowed by RoleBinding ")
    assert allowed["reason"].endswith(f'/{account.namespace}" of Role "{role}" to ServiceAccount "robot/{account.namespace}"')
    assert access(account.http, resourceAttributes={**asked, "verb": "delete"}) == {"allowed": False}
    assert access(account.http, resourceAttributes={**asked, "namespace": ""}) == {"allowed": False}
    assert access(account.http, nonResourceAttributes={"path": "/api", "verb": "get"})["allowed"] is True
    assert access(account.http, nonResourceAttributes={"path": "/x", "verb": "get"}) == {"allowed": False}
    assert access(http, resourceAttributes={"verb": "*", "resource": "*", "group": "*"}) == {"allowed": True}
    assert access(http, "subjectaccessreviews", user=account.user, resourceAttributes=asked)["allowed"] is True
    assert access(http, "subjectaccessreviews", groups=["system:serviceaccounts"], resourceAttributes=asked) == {"allowed": False}
    local = f"namespaces/{account.namespace}/localsubjectaccessreviews"
    assert access(http, local, user=account.user, resourceAttributes=asked)["allowed"] is True


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("selfsubjectaccessreviews", {}),
        ("selfsubjectaccessreviews", {"resourceAttributes": {"verb": "get"}, "nonResourceAttributes": {"path": "/"}}),
        ("subjectaccessreviews", {"resourceAttributes": {"verb": "get"}}),
        ("namespaces/default/localsubjectaccessreviews", {"resourceAttributes": {"verb": "get", "namespace": "other"}, "user": "a"}),
        ("selfsubjectrulesreviews", {}),
    ],
    ids=str,
)
def test_questions_that_are_none_are_refused(http, kind, spec) -> None:
    assert http.post(f"/apis/authorization.k8s.io/v1/{kind}", json={"spec": spec}).status_code == 422


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("selfsubjectaccessreviews", {"resourceAttributes": {"verb": 1}}, "ResourceAttributes.spec.resourceAttributes.verb of type string"),
        ("selfsubjectaccessreviews", {"resourceAttributes": "get"}, "spec.resourceAttributes of type v1.ResourceAttributes"),
        ("subjectaccessreviews", {"groups": "all"}, "SubjectAccessReviewSpec.spec.groups of type []string"),
        ("subjectaccessreviews", {"extra": {"b": "c"}}, "SubjectAccessReviewSpec.spec.extra of type v1.ExtraValue"),
    ],
)
def test_questions_of_a_wrong_type_are_no_questions(http, kind, spec, field) -> None:
    refused = http.post(f"/apis/authorization.k8s.io/v1/{kind}", json={"spec": spec})
    assert (refused.status_code, refused.json()["reason"]) == (400, "BadRequest")
    assert refused.json()["message"].endswith(field)


def test_who_may_ask_about_others(account) -> None:
    body = {"spec": {"user": "ann", "resourceAttributes": {"verb": "get", "resource": "pods"}}}
    refused = account.http.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=body)
    assert "cannot create resource" in message(refused)


def test_all_rules_of_a_user_can_be_listed(policy, account) -> None:
    policy.grant(account, SECRETS)
    body = {"spec": {"namespace": account.namespace}}
    status = account.http.post("/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", json=body).json()["status"]
    assert SECRETS in status["resourceRules"]
    assert {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]} in status["nonResourceRules"]
    assert status["incomplete"] is False


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
