"""manifests/ applied by kubectl, to each control plane one of its folders."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.e2e.accounts import kubeconfig_with
from tests.e2e.cluster import Cluster, secret
from tests.e2e.manifests.installed import EVERYWHERE, NAMESPACE, OWN, TOKENS, Installed, control_plane, kubectl
from tests.e2e.product import environment
from tests.requiring import unavailable

DIRECTORIES_SINCE = (1, 21)
"""The kubectl whose kustomize takes folders among resources."""


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
    with control_plane(folder / "state") as admin:
        applied = kubectl(program, admin, "apply", "-k", request.param)
        assert (applied.returncode, applied.stderr) == (0, "")
        token = kubectl(program, admin, "create", "--raw", TOKENS, "-f", "-", stdin="{}")
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
