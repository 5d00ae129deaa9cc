"""What is installed in a cluster: manifests/ applied by kubectl, and the operator with its service account's token and nothing more."""

from __future__ import annotations

import json
import re
import select
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from syncsource import __version__
from syncsource.cli.operate import operator
from tests.e2e.accounts import ROOT, kubeconfig_with
from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Cluster, Object, Refused, condition, ready, secret
from tests.e2e.databases import Warehouse
from tests.e2e.product import PROGRAM, environment
from tests.requiring import unavailable

NAMESPACE, ACCOUNT = "syncsource", "syncsource-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
TOKENS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
OWN, EVERYWHERE = "base", "overlays/all-namespaces"
EVERY = {"every": "1h"}
DIRECTORIES_SINCE = (1, 21)
"""The kubectl whose kustomize takes folders among resources."""


@dataclass
class Installed:
    """A control plane to which a folder of ``manifests/`` was applied."""

    folder: str
    program: str
    admin: Path
    robot: Path
    """The kubeconfig of the operator's token."""
    said: str
    asking: Cluster
    """With the operator's token."""

    @property
    def is_everywhere(self) -> bool:
        return self.folder == EVERYWHERE

    def kubectl(self, *arguments: str, robot: bool = False) -> subprocess.CompletedProcess[str]:
        return _kubectl(self.program, self.robot if robot else self.admin, *arguments)

    def can(self, verb: str, what: str, namespace: str = "") -> bool:
        """What the control plane answers to the operator; ``what`` is resource.group/subresource:name, or a path."""
        place, _, name = what.partition(":")
        place, _, part = place.partition("/")
        resource, _, group = place.partition(".")
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, "name": name, "namespace": namespace}
        spec = {"nonResourceAttributes": {"verb": verb, "path": what}} if what.startswith("/") else {"resourceAttributes": asked}
        return bool(self.asking.create({"kind": "SelfSubjectAccessReview", "spec": spec})["status"]["allowed"])


def _kubectl(program: str, kubeconfig: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [program, "--kubeconfig", str(kubeconfig), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, env=environment(), cwd=ROOT / "manifests")


@contextmanager
def _control_plane(folder: Path) -> Iterator[Path]:
    """An empty one; its kubeconfig."""
    process = subprocess.Popen([sys.executable, "-m", "syncsource.localplane", "--dir", str(folder)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 30)[0]
        yield Path(json.loads(process.stdout.readline())["kubeconfig"])
        process.terminate()


@pytest.fixture(scope="module")
def program() -> str:
    """Path of a kubectl that takes the manifests."""
    found = shutil.which("kubectl")
    if found is None:
        unavailable("kubectl", "it is not on PATH")
    said = subprocess.run([found, "version", "--client", "-o", "json"], capture_output=True, text=True, timeout=60, env=environment())
    version = json.loads(said.stdout)["clientVersion"]
    if (int(version["major"]), int(re.match(r"\d+", version["minor"])[0])) < DIRECTORIES_SINCE:
        pytest.skip(f"kubectl {version['gitVersion']}: its kustomize takes no folders among resources")
    return found


@pytest.fixture(scope="module", params=[OWN, EVERYWHERE])
def installed(request: pytest.FixtureRequest, program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """``kubectl apply -k`` of the folder."""
    folder = tmp_path_factory.mktemp("installed")
    with _control_plane(folder / "state") as admin:
        applied = _kubectl(program, admin, "apply", "-k", request.param)
        assert (applied.returncode, applied.stderr) == (0, "")
        token = _kubectl(program, admin, "create", "--raw", TOKENS, "-f", "-", stdin="{}")
        assert token.returncode == 0, token.stderr
        robot = kubeconfig_with(json.loads(token.stdout)["status"]["token"], admin, folder / "robot")
        with closing(Cluster(robot)) as asking:
            yield Installed(request.param, program, admin, robot, applied.stdout, asking)


@pytest.fixture
def own(installed: Installed) -> Iterator[Cluster]:
    """The operator's namespace, seen by the administrator."""
    with closing(Cluster(installed.admin, NAMESPACE)) as cluster:
        yield cluster


@pytest.fixture
def other(installed: Installed) -> Iterator[Cluster]:
    """Another namespace, seen by the administrator."""
    with closing(Cluster(installed.admin, "team")) as cluster:
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}})
        cluster.apply(secret("theirs", key="value"))
        yield cluster


# -- applying


def test_everything_is_taken_and_stays(installed: Installed) -> None:
    names = {line.split()[0] for line in installed.said.splitlines()}
    role = "clusterrole" if installed.is_everywhere else "role"
    assert names == {
        "namespace/syncsource",
        "customresourcedefinition.apiextensions.k8s.io/syncsources.syncsource.dev",
        "customresourcedefinition.apiextensions.k8s.io/syncruns.syncsource.dev",
        "serviceaccount/syncsource-operator",
        f"{role}.rbac.authorization.k8s.io/syncsource-operator",
        f"{role}binding.rbac.authorization.k8s.io/syncsource-operator",
        "clusterrole.rbac.authorization.k8s.io/syncsource-cluster-identity",
        "clusterrole.rbac.authorization.k8s.io/syncsource-view",
        "clusterrole.rbac.authorization.k8s.io/syncsource-edit",
        "clusterrolebinding.rbac.authorization.k8s.io/syncsource-cluster-identity",
        "deployment.apps/syncsource-operator",
    }
    again = installed.kubectl("apply", "-k", installed.folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert {line.split()[-1] for line in again.stdout.splitlines()} == {"unchanged"}
    assert installed.kubectl("diff", "-k", installed.folder).stdout == ""


def test_samples_are_taken_and_say_which_secret_they_lack(installed: Installed, own: Cluster, tmp_path: Path) -> None:
    applied = installed.kubectl("apply", "-k", "samples")
    assert (applied.returncode, applied.stderr) == (0, "")
    assert {item["metadata"]["name"] for item in own.list()} >= {"flights", "orders", "products", "stores"}
    with _operator(installed, tmp_path):
        missing = {"flights": "warehouse", "orders": "demo-db", "products": "demo-db", "stores": "demo-db"}
        for name, lacking in missing.items():
            stalled = own.wait(name, lambda held: condition(held, "Stalled").get("reason") == "SecretNotFound")
            assert f"Secret {lacking}" in condition(stalled, "Stalled")["message"]
    assert installed.kubectl("delete", "-k", "samples").returncode == 0


# -- the Deployment


def _pod_spec(installed: Installed) -> Object:
    shown = installed.kubectl("get", "deployment", "syncsource-operator", "-n", NAMESPACE, "-o", "json")
    found: Object = json.loads(shown.stdout)["spec"]["template"]["spec"]
    return found


def _arguments(installed: Installed) -> list[str]:
    """What the Deployment gives the program, as the kubelet completes it."""
    [container] = _pod_spec(installed)["containers"]
    values = {one["name"]: {"metadata.namespace": NAMESPACE}[one["valueFrom"]["fieldRef"]["fieldPath"]] for one in container.get("env", ())}
    return [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], word) for word in container["args"]]


def test_the_pod_has_no_privileges(installed: Installed) -> None:
    """As the Pod Security Standard `restricted` wants it, and with a root that nobody writes to."""
    spec = _pod_spec(installed)
    [container] = spec["containers"]
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 65532, "runAsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & spec.keys()
    assert [set(volume) - {"name"} for volume in spec["volumes"]] == [{"emptyDir"}]


def test_the_deployment_agrees_with_the_program(installed: Installed) -> None:
    command, *arguments = _arguments(installed)
    assert command == "operator"
    given = operator.make_context("operator", arguments).params
    assert given["namespaces"] == (() if installed.is_everywhere else (NAMESPACE,))
    assert (given["all_namespaces"], given["log_format"]) == (installed.is_everywhere, "json")
    spec = _pod_spec(installed)
    [container] = spec["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {name: given[name] for name in ports} == {name: (None, port) for name, port in ports.items()}
    probes = {container[f"{name}Probe"]["httpGet"]["port"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"health"}
    assert given["grace"] + 8 <= spec["terminationGracePeriodSeconds"]


# -- the operator at work


@contextmanager
def _operator(installed: Installed, folder: Path) -> Iterator[Path]:
    """The Deployment's command as a process, once it is ready; its log. It ends with 0."""
    with socket.create_server(("127.0.0.1", 0)) as free, socket.create_server(("127.0.0.1", 0)) as another:
        address, other = (f"127.0.0.1:{one.getsockname()[1]}" for one in (free, another))
    here = {"--health": address, "--metrics": other}
    arguments = [
        f"{name}={here.get(name, value)}" if value else word for word in _arguments(installed) for name, _, value in [word.partition("=")]
    ]
    log = folder / "operator.log"
    with log.open("w") as errors:
        command = [PROGRAM, *arguments, "--kubeconfig", str(installed.robot)]
        process = subprocess.Popen(command, stderr=errors, stdin=subprocess.DEVNULL, env=environment())
    try:
        _await_ready(process, f"http://{address}", log)
        assert "# TYPE syncsource_ready gauge\n" in httpx.get(f"http://{other}/metrics", trust_env=False).text
        yield log
        process.terminate()
        assert process.wait(20) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """As the kubelet does: by asking."""
    ends, said = time.monotonic() + 30, ""
    while time.monotonic() < ends and process.poll() is None:
        try:
            answer = httpx.get(f"{url}/readyz", trust_env=False)
            if answer.is_success:
                return
            said = answer.text
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"it did not become ready: {said}\n{log.read_text()}")


def test_the_operator_works_with_its_token_alone(
    installed: Installed, own: Cluster, other: Cluster, api: Api, sqlite: Warehouse, tmp_path: Path
) -> None:
    api.routes["/orders"] = Orders(250)
    other.apply(source("foreign", api, "/orders", secret="db", table="foreign_rows"))
    with _operator(installed, tmp_path) as log:
        for cluster in (own, other) if installed.is_everywhere else (own,):
            table = f"orders_{cluster.namespace}_{len(installed.folder)}"
            cluster.apply(
                secret("db", url=sqlite.url),
                source("first", api, "/orders", secret="db", table=table, schedule=EVERY, http={"pagination": PAGES}),
            )
            done = cluster.wait("first", ready)
            assert condition(done, "Ready")["message"].startswith("250 read, 250 inserted")
            cluster.wait_event("first", "Succeeded")
            assert sqlite.sql(f"SELECT count(*) FROM {table}") == [(250,)]
            cluster.delete("first")
        assert installed.is_everywhere or "status" not in other.get("foreign")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line for line in lines if line["level"] not in ("debug", "info")] == []


# -- rights

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


# -- the image


def _instructions() -> list[list[str]]:
    text = (ROOT / "operator" / "Containerfile").read_text().replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_is_made_of_what_is_there() -> None:
    copied = [word for name, *words in _instructions() if name == "COPY" and not words[0].startswith("--from") for word in words[:-1]]
    assert "requirements.lock" in copied
    assert [word for word in copied if not (ROOT / word).exists()] == []
    packages = re.search(r"^packages = (.*)$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages is not None
    assert [package for package in json.loads(packages[1]) if package not in copied] == []


def test_the_image_is_of_this_version() -> None:
    [image] = yaml.safe_load((ROOT / "manifests" / "base" / "kustomization.yaml").read_text())["images"]
    assert image == {"name": "syncsource", "newTag": __version__}


def test_the_image_starts_the_operator_as_nobody() -> None:
    found = {name: " ".join(words) for name, *words in _instructions()}
    deployment = yaml.safe_load((ROOT / "manifests" / "base" / "deployment.yaml").read_text())["spec"]["template"]["spec"]
    user = deployment["securityContext"]["runAsUser"]
    assert found["USER"] == f"{user}:{deployment['securityContext']['runAsGroup']}"
    last = [line for line in (ROOT / "operator" / "Containerfile").read_text().splitlines() if line.startswith(("ENTRYPOINT", "CMD"))]
    entry, command = (json.loads(line.partition(" ")[2]) for line in last)
    assert entry == ["syncsource"]
    assert command[0] == "operator"
    operator.make_context("operator", command[1:])
