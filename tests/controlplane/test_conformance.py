"""kubectl prints against this server what it printed against Kubernetes 1.36: ``conformance/cases.txt`` against ``golden/``.

Once as recorded, and once in words that nobody has seen before; SYNCSOURCE_TEST_SEED chooses them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.controlplane.conftest import Server
from tests.controlplane.recorded import HERE, cases, golden, run
from tests.controlplane.renaming import Renaming
from tests.requiring import unavailable

VERSION = "1.32"
SEED = "SYNCSOURCE_TEST_SEED"


@dataclass(frozen=True)
class Edition:
    """A fresh server, the words, the folder with the files in these words, and the environment of kubectl. ``seed``: what to set to repeat it."""

    rename: Callable[[str], str]
    folder: Path
    env: dict[str, str]
    seed: str


@pytest.fixture(scope="module")
def matching_kubectl(kubectl_path: str) -> str:
    env = {**os.environ, "KUBECONFIG": os.devnull}
    said = subprocess.run([kubectl_path, "version", "--client", "-o", "json"], capture_output=True, text=True, env=env, timeout=60)
    version = json.loads(said.stdout)["clientVersion"]["gitVersion"] if said.returncode == 0 else "unknown"
    if not version.startswith(f"v{VERSION}."):
        unavailable(f"kubectl-{VERSION}", f"the golden files are of that version, this is {version}")
    return kubectl_path


@pytest.fixture(scope="module", params=["recorded", "renamed"])
def edition(request: pytest.FixtureRequest, launch: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory) -> Edition:
    folder = tmp_path_factory.mktemp(request.param)
    server = launch(folder / "plane")
    env = {"KUBECONFIG": str(server.kubeconfig), "KUBECACHEDIR": str(folder / "cache"), "HOME": str(folder)}
    if request.param == "recorded":
        return Edition(str, HERE, env, "")
    seed = int(os.environ.get(SEED) or random.SystemRandom().randrange(2**32))
    renaming = Renaming(seed)
    (folder / "files").mkdir()
    for path in (HERE / "files").iterdir():
        (folder / "files" / path.name).write_text(renaming(path.read_text()))
    return Edition(renaming, folder, env, f"{SEED}={seed}")


@pytest.mark.parametrize("name", [case.name for case in cases()])
def test_kubectl_prints_what_it_does_against_kubernetes(name: str, matching_kubectl: str, edition: Edition) -> None:
    case = next(case for case in cases(edition.rename) if case.name == name)
    got = run(case, matching_kubectl, edition.folder, edition.env)
    assert got == golden(case, edition.rename), edition.seed


def test_other_words_are_other_words() -> None:
    text = "".join(path.read_text() for folder in ("files", "golden") for path in sorted((HERE / folder).iterdir()))
    one, two = Renaming(1), Renaming(2)
    assert one(text) == Renaming(1)(text) != two(text)
    for word in ("conformance", "widget", "colour", "painted", "requested-at"):
        assert word in text.lower()
        assert word not in one(text).lower()
