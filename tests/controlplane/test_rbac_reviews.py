"""Reviews answer what a user may do, as the authorizer would."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.controlplane.policies import SECRETS, message


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
