"""Roles and bindings for tests, and what an answer says of a right that is missing."""

from __future__ import annotations

import uuid
from typing import Any

import httpx

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


def secrets(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets" + (f"/{name}" if name else "")


def message(response: httpx.Response) -> str:
    assert (response.status_code, response.json()["reason"]) == (403, "Forbidden"), response.text
    return str(response.json()["message"])
