"""A real server per test module, and HTTP and kubectl clients for it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import signal
import ssl
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.controlplane.policies import Policy
from tests.requiring import unavailable

HERE = Path(__file__).parent
START_SECONDS = 20
WIDGETS = "/apis/conformance.example.dev/v1alpha1/namespaces/default/widgets"


@dataclass
class Server:
    """A server process and what is needed to talk to it."""

    folder: Path
    process: subprocess.Popen[str]
    url: str
    kubeconfig: Path
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def user(self) -> dict[str, str]:
        return yaml.safe_load(self.kubeconfig.read_text())["users"][0]["user"]

    def client(self, **options: Any) -> httpx.Client:
        """An HTTP client that trusts the server's authority and sends its token."""
        cluster = yaml.safe_load(self.kubeconfig.read_text())["clusters"][0]["cluster"]
        trust = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        headers = {"Authorization": f"Bearer {self.user['token']}", **options.pop("headers", {})}
        made = httpx.Client(base_url=self.url, verify=trust, headers=headers, timeout=20, trust_env=False, **options)
        self.clients.append(made)
        return made

    def stop(self, number: int = signal.SIGTERM) -> int:
        for client in self.clients:
            client.close()
        self.process.send_signal(number)
        with self.process:
            return self.process.wait(timeout=10)


def start_server(folder: Path, *arguments: str) -> Server:
    return _start(START_SECONDS, "syncsource.localplane", "--dir", str(folder), *arguments)


def start_kubernetes(folder: Path, *arguments: str) -> Server:
    """kube-apiserver and etcd, where KUBEBUILDER_ASSETS names their folder; else the test is skipped."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        unavailable("KUBEBUILDER_ASSETS", "it is not set to a folder with kube-apiserver and etcd")
    return _start(120, "syncsource.standalone.assets", "--assets", assets, "--dir", str(folder), *arguments)


def _start(seconds: float, module: str, *arguments: str) -> Server:
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    line = process.stdout.readline() if ready else ""
    if not line:
        process.kill()
        raise RuntimeError(f"the server did not start: {process.communicate()[1]}")
    said = json.loads(line)
    assert said["ready"] is True
    return Server(Path(said["kubeconfig"]).parent, process, said["url"], Path(said["kubeconfig"]))


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Server]]:
    """Start servers that are stopped at the module's end."""
    started: list[Server] = []

    def start(folder: Path, *arguments: str) -> Server:
        started.append(start_server(folder, *arguments))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture(scope="module")
def server(launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Server:
    return launch(tmp_path_factory.mktemp("plane"))


@pytest.fixture(scope="module")
def http(server: Server) -> httpx.Client:
    return server.client()


@pytest.fixture(scope="module")
def widgets(http: httpx.Client) -> str:
    """The path of widgets in `default`, defined."""
    define(http, HERE / "conformance" / "files" / "crd.yaml")
    return WIDGETS


@pytest.fixture
def policy(http: httpx.Client) -> Policy:
    return Policy(http)


def define(http: httpx.Client, path: Path) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    made = http.post(crds, content=path.read_bytes(), headers={"Content-Type": "application/yaml"})
    assert made.status_code in (201, 409), made.text


@pytest.fixture
def new_widget(http: httpx.Client, widgets: str) -> Callable[..., dict[str, Any]]:
    """Create a widget with a name of its own."""

    def create(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
        name = metadata.pop("name", f"w{uuid.uuid4().hex[:10]}")
        body = {
            "apiVersion": "conformance.example.dev/v1alpha1",
            "kind": "Widget",
            "metadata": {"name": name, **metadata},
            "spec": spec or {"colour": "red"},
        }
        made = http.post(widgets, json=body)
        assert made.status_code == 201, made.text
        return made.json()

    return create


@dataclass(frozen=True)
class Account:
    """A service account in a namespace of its own, and a client with its token."""

    namespace: str
    name: str
    uid: str
    token: str
    http: httpx.Client

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def subject(self) -> dict[str, str]:
        return {"kind": "ServiceAccount", "namespace": self.namespace, "name": self.name}


@pytest.fixture
def new_account(server: Server, http: httpx.Client) -> Callable[[], Account]:
    def create() -> Account:
        namespace = f"n{uuid.uuid4().hex[:10]}"
        assert http.post("/api/v1/namespaces", json={"metadata": {"name": namespace}}).status_code == 201
        accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        made = http.post(accounts, json={"metadata": {"name": "robot"}}).json()
        issued = http.post(f"{accounts}/robot/token", json={})
        assert issued.status_code == 201, issued.text
        token = issued.json()["status"]["token"]
        client = server.client(headers={"Authorization": f"Bearer {token}"})
        return Account(namespace, "robot", made["metadata"]["uid"], token, client)

    return create


@pytest.fixture
def account(new_account: Callable[[], Account]) -> Account:
    return new_account()


@pytest.fixture(scope="session")
def kubectl_path() -> str:
    found = shutil.which("kubectl")
    if found is None:
        if "kubectl" in os.environ.get("SYNCSOURCE_TEST_REQUIRE", "").split(","):
            pytest.fail("kubectl is required and missing")
        pytest.skip("kubectl is not installed")
    return found


@pytest.fixture
def kubectl(kubectl_path: str, server: Server) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run kubectl against the server, with a cache of its own."""

    def run(*arguments: str, stdin: str | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **kubectl_environment(server), **(env or {})}
        return subprocess.run([kubectl_path, *arguments], env=environment, input=stdin, capture_output=True, text=True, timeout=60)

    return run


def kubectl_environment(server: Server) -> dict[str, str]:
    """What keeps kubectl from the settings and caches of whoever runs the tests."""
    own = server.folder / "kubectl"
    own.mkdir(exist_ok=True)
    kept = {"KUBECONFIG": str(server.kubeconfig), "KUBECTL_KUBERC": "false"}
    return kept | dict.fromkeys(("KUBECACHEDIR", "HOME", "TMPDIR"), str(own))


@pytest.fixture
def watch_lines() -> Callable[..., Iterator[dict[str, Any]]]:
    """The events of a watch, as they come."""

    @contextlib.contextmanager
    def opened(client: httpx.Client, path: str, **params: Any) -> Iterator[Iterator[dict[str, Any]]]:
        with client.stream("GET", path, params={"watch": "1", "timeoutSeconds": 10, **params}) as response:
            assert response.status_code == 200, response.read()
            yield (json.loads(line) for line in response.iter_lines())

    return opened
