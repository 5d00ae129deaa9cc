"""Logs as a kube-apiserver reads them from a node: over HTTPS, with a certificate."""

from __future__ import annotations

import datetime as dt
import ssl
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from syncsource.localplane.certificates import Certificates, ensure_certificates
from tests.controlplane.conftest import Server
from tests.controlplane.machine import NODE, Machine, machine, phase, waiting


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return ensure_certificates(tmp_path_factory.mktemp("certificates"), dt.datetime.now(dt.UTC), for_clients=True)


@pytest.fixture(scope="module")
def here(server: Server, certificates: Certificates) -> Iterator[Machine]:
    with machine(server, "--container-backoff", "0.1", "--log-certificates", str(certificates.authority.parent)) as running:
        yield running


def address(here: Machine) -> str:
    node = here.http.get(f"/api/v1/nodes/{NODE}").json()
    return f"https://127.0.0.1:{node['status']['daemonEndpoints']['kubeletEndpoint']['Port']}/containerLogs/default"


def trust(certificates: Certificates) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates.authority))


@pytest.fixture(scope="module")
def reader(here: Machine, certificates: Certificates) -> Iterator[httpx.Client]:
    context = trust(certificates)
    context.load_cert_chain(certificates.certificate, certificates.key)
    with httpx.Client(base_url=address(here), verify=context, trust_env=False) as client:
        yield client


def test_a_log_is_read_and_followed(here, reader) -> None:
    name = here.pod("import time\nfor n in range(3): print(n, flush=True); time.sleep(0.1)")
    here.wait_log(name, "0")
    with reader.stream("GET", f"/{name}/main", params={"follow": "true"}) as answer:
        assert list(answer.iter_lines()) == ["0", "1", "2"]
    assert reader.get(f"/{name}/main", params={"tailLines": "1"}).text == "2\n"


def test_what_is_not_there_is_refused_in_words(here, reader) -> None:
    name = here.pod("print(1)", env=[{"name": "A", "valueFrom": {"secretKeyRef": {"name": "never", "key": "k"}}}])
    here.wait(name, waiting("CreateContainerConfigError"))
    refusals = {
        f"/{name}/main": (400, f'container "main" in pod "{name}" is waiting to start: CreateContainerConfigError'),
        f"/{name}/other": (400, f"container other is not valid for pod {name}"),
        f"/{name}/..%2f..": (400, f"container ../.. is not valid for pod {name}"),
        f"/{name}/main?tailLines=-1": (422, None),
        f"/{name}/main?sinceTime=x": (400, None),
        "/nothing/main": (404, 'pod "nothing" not found'),
    }
    for path, (code, message) in refusals.items():
        answer = reader.get(path)
        assert (answer.status_code, message or answer.text) == (code, answer.text)


def test_who_has_no_certificate_reads_nothing(here, certificates, tmp_path) -> None:
    name = here.pod("print('hidden')")
    here.wait(name, phase("Succeeded"))
    stranger = trust(certificates)
    other = ensure_certificates(tmp_path, dt.datetime.now(dt.UTC), for_clients=True)
    stranger.load_cert_chain(other.certificate, other.key)
    for context in (trust(certificates), stranger):
        with httpx.Client(verify=context, trust_env=False) as client, pytest.raises(httpx.TransportError):
            client.get(f"{address(here)}/{name}/main")


def test_certificates_that_are_none_end_the_node(server, tmp_path) -> None:
    command = [sys.executable, "-m", "syncsource.localplane.node", "--kubeconfig", str(server.kubeconfig), "--state", str(tmp_path)]
    done = subprocess.run([*command, "--log-certificates", str(tmp_path)], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: logs can't be served with the certificates in {tmp_path}: ")
