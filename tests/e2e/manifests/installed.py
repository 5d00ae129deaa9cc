"""A control plane to which manifests/ was applied, and the operator's Deployment there."""

from __future__ import annotations

import json
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.accounts import ROOT
from tests.e2e.cluster import Cluster, Object
from tests.e2e.product import environment

NAMESPACE, ACCOUNT = "syncsource", "syncsource-operator"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
TOKENS = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{ACCOUNT}/token"
OWN, EVERYWHERE = "base", "overlays/all-namespaces"


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
        """Whether its operator works in all namespaces."""
        return self.folder == EVERYWHERE

    def kubectl(self, *arguments: str, robot: bool = False) -> subprocess.CompletedProcess[str]:
        """As the administrator; ``robot``: with the operator's token."""
        return kubectl(self.program, self.robot if robot else self.admin, *arguments)

    def can(self, verb: str, what: str, namespace: str = "") -> bool:
        """What the control plane answers to the operator; ``what`` is resource.group/subresource:name, or a path."""
        place, _, name = what.partition(":")
        place, _, part = place.partition("/")
        resource, _, group = place.partition(".")
        asked = {"verb": verb, "group": group, "resource": resource, "subresource": part, "name": name, "namespace": namespace}
        spec = {"nonResourceAttributes": {"verb": verb, "path": what}} if what.startswith("/") else {"resourceAttributes": asked}
        return bool(self.asking.create({"kind": "SelfSubjectAccessReview", "spec": spec})["status"]["allowed"])

    def pod_spec(self) -> Object:
        """Of the Deployment's pod."""
        shown = self.kubectl("get", "deployment", "syncsource-operator", "-n", NAMESPACE, "-o", "json")
        found: Object = json.loads(shown.stdout)["spec"]["template"]["spec"]
        return found

    def arguments(self) -> list[str]:
        """What the Deployment gives the program, as the kubelet completes it."""
        [container] = self.pod_spec()["containers"]
        fields = {one["name"]: one["valueFrom"]["fieldRef"]["fieldPath"] for one in container.get("env", ())}
        values = {name: {"metadata.namespace": NAMESPACE}[path] for name, path in fields.items()}
        return [re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], word) for word in container["args"]]


def kubectl(program: str, kubeconfig: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """A command that ends by itself, in the folder ``manifests/``."""
    command = [program, "--kubeconfig", str(kubeconfig), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60, env=environment(), cwd=ROOT / "manifests")


@contextmanager
def control_plane(folder: Path) -> Iterator[Path]:
    """An empty one; its kubeconfig."""
    process = subprocess.Popen([sys.executable, "-m", "syncsource.localplane", "--dir", str(folder)], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 30)[0]
        yield Path(json.loads(process.stdout.readline())["kubeconfig"])
        process.terminate()
