"""What the operator may do with its service account's token, and what is refused."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from tests.e2e.api import Api, source
from tests.e2e.cluster import Cluster, Refused, secret
from tests.e2e.manifests.installed import NAMESPACE, USER, Installed

MAY = [
    ("get", "syncsources.syncsource.dev"), ("list", "syncsources.syncsource.dev"), ("watch", "syncsources.syncsource.dev"),
    ("patch", "syncsources.syncsource.dev/status"),
    ("get", "syncruns.syncsource.dev"), ("list", "syncruns.syncsource.dev"), ("watch", "syncruns.syncsource.dev"),
    ("delete", "syncruns.syncsource.dev"), ("patch", "syncruns.syncsource.dev/status"),
    ("get", "secrets"), ("list", "secrets"), ("watch", "secrets"), ("create", "events"), ("patch", "events"),
]  # fmt: skip


MAY_NOT = [
    *((verb, "syncsources.syncsource.dev") for verb in ("create", "update", "patch", "delete", "deletecollection")),
    ("update", "syncsources.syncsource.dev/status"),
    *((verb, "syncruns.syncsource.dev") for verb in ("create", "update", "patch", "deletecollection")),
    *((verb, "secrets") for verb in ("create", "update", "patch", "delete", "deletecollection")),
    ("get", "pods"), ("list", "pods"), ("create", "pods"), ("get", "pods/log"), ("create", "pods/exec"),
    ("create", "jobs.batch"), ("get", "configmaps"), ("list", "events"), ("delete", "events"),
    ("create", "serviceaccounts/token"), ("impersonate", "serviceaccounts"), ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("patch", "deployments.apps"), ("get", "leases.coordination.k8s.io"), ("*", "*.*"),
]  # fmt: skip


MAY_NOT_IN_THE_CLUSTER = [
    ("list", "nodes"), ("get", "nodes"), ("list", "namespaces"), ("create", "namespaces"), ("get", "namespaces:default"),
    ("delete", "namespaces:kube-system"), ("get", "customresourcedefinitions.apiextensions.k8s.io"),
    ("create", "clusterrolebindings.rbac.authorization.k8s.io"), ("impersonate", "users"), ("get", "/metrics"),
]  # fmt: skip


def test_what_the_operator_may_do(installed: Installed, other: Cluster) -> None:
    assert [what for what in MAY if not installed.can(*what, NAMESPACE)] == []
    assert {installed.can(*what, "team") for what in MAY} == {installed.is_everywhere}
    assert installed.can("get", "namespaces:kube-system", "kube-system")


def test_what_the_operator_may_not_do(installed: Installed, other: Cluster) -> None:
    asked = [(*what, namespace) for namespace in (NAMESPACE, "team", "kube-system", "") for what in MAY_NOT]
    assert [what for what in (*asked, *MAY_NOT_IN_THE_CLUSTER) if installed.can(*what)] == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (("list", "secrets", "-n", NAMESPACE), "yes"),
        (("patch", "syncsources", "--subresource=status", "-n", NAMESPACE), "yes"),
        (("patch", "syncsources", "-n", NAMESPACE), "no"),
        (("get", "namespaces/kube-system"), "yes"),
        (("get", "nodes"), "no"),
        (("*", "*"), "no"),
    ],
    ids=lambda words: " ".join(words),
)
def test_kubectl_says_the_same(installed: Installed, question: tuple[str, ...], answer: str) -> None:
    assert installed.kubectl("auth", "can-i", *question, robot=True).stdout.strip() == answer


def test_people_who_may_edit_a_namespace_may_edit_its_sources(installed: Installed, other: Cluster) -> None:
    def can(verb: str, role: str) -> str:
        binding = ("create", "rolebinding", f"{role}-ann-{role}", f"--clusterrole={role}", f"--user=ann-{role}", "-n", "team")
        installed.kubectl(*binding)
        return installed.kubectl("auth", "can-i", verb, "syncsources", "-n", "team", f"--as=ann-{role}").stdout.strip()

    assert [can("list", "view"), can("patch", "view"), can("patch", "edit"), can("delete", "admin")] == ["yes", "no", "yes", "yes"]


def test_what_it_asks_for_nevertheless_is_refused(installed: Installed, own: Cluster, other: Cluster, api: Api) -> None:
    held = own.create(source("held", api, "/none", secret="db", table="held"))
    with closing(Cluster(installed.robot, NAMESPACE)) as mine, closing(Cluster(installed.robot, "team")) as foreign:
        assert mine.get("held")["metadata"]["uid"] == held["metadata"]["uid"]
        refused: list[tuple[str, Any]] = [
            ('syncsources.syncsource.dev "held" is forbidden: {user} cannot patch resource "syncsources" in API group "syncsource.dev" {here}',
             lambda: mine.patch("held", {"spec": {"suspend": True}})),
            ('syncsources.syncsource.dev "held" is forbidden: {user} cannot delete resource "syncsources" in API group "syncsource.dev" {here}',
             lambda: mine.delete("held")),
            ('secrets is forbidden: {user} cannot create resource "secrets" in API group "" {here}',
             lambda: mine.create(secret("new", key="value"))),
            ('events is forbidden: {user} cannot list resource "events" in API group "" {here}', lambda: mine.events("held")),
            ('namespaces "team" is forbidden: {user} cannot get resource "namespaces" in API group "" in the namespace "team"',
             lambda: mine.get("team", "Namespace")),
        ]  # fmt: skip
        if not installed.is_everywhere:
            refused += [
                ('secrets "theirs" is forbidden: {user} cannot get resource "secrets" in API group "" {there}',
                 lambda: foreign.get("theirs", "Secret")),
                ('secrets is forbidden: {user} cannot list resource "secrets" in API group "" {there}', lambda: foreign.list("Secret")),
            ]  # fmt: skip
        words = {"user": f'User "{USER}"', "here": f'in the namespace "{NAMESPACE}"', "there": 'in the namespace "team"'}
        for message, request in refused:
            with pytest.raises(Refused) as said:
                request()
            assert str(said.value) == message.format(**words)
    assert "suspend" not in own.get("held")["spec"] or own.get("held")["spec"]["suspend"] is False
    own.delete("held")


def test_kubectl_is_refused_in_the_words_of_kubernetes(installed: Installed) -> None:
    said = installed.kubectl("get", "pods", "-n", NAMESPACE, robot=True)
    assert said.stderr == (
        f'Error from server (Forbidden): pods is forbidden: User "{USER}" cannot list resource "pods" in API group "" '
        f'in the namespace "{NAMESPACE}"\n'
    )
