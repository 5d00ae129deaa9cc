"""What people type about SyncRuns: kubectl, the real one."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import yaml

from tests.e2e.cluster import Cluster, Object
from tests.e2e.product import environment
from tests.requiring import unavailable

PATIENCE = "--timeout=60s"


@dataclass
class Kubectl:
    """For one namespace of a control plane."""

    cluster: Cluster

    def __call__(self, *arguments: str, stdin: str | None = None, fails: bool = False) -> str:
        """What it prints: with ``fails`` its errors, since it must fail."""
        program = shutil.which("kubectl") or unavailable("kubectl", "it is not on PATH")
        where = ["--kubeconfig", str(self.cluster.kubeconfig), "--namespace", self.cluster.namespace]
        done = subprocess.run([program, *where, *arguments], input=stdin, capture_output=True, text=True, timeout=90, env=environment())
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done.stderr if fails else done.stdout

    def ask(self, source: str, action: str, **spec: Any) -> str:
        """``kubectl create`` of a SyncRun: its name."""
        said = self("create", "-f", "-", stdin=manifest(source, action, **spec))
        found = re.fullmatch(r"syncrun\.syncsource\.dev/(\S+) created\n", said)
        assert found is not None, said
        return found[1]

    def status(self, name: str) -> Object:
        """Its status as it is now."""
        found: Object = json.loads(self("get", "syncrun", name, "-o", "json")).get("status") or {}
        return found

    def complete(self, source: str, action: str, **spec: Any) -> Object:
        """Created, and waited for: the status of one that succeeded."""
        name = self.ask(source, action, **spec)
        self("wait", "--for=condition=Complete", f"syncrun/{name}", PATIENCE)
        return self.status(name)

    def failed(self, source: str, action: str, **spec: Any) -> Object:
        """The same of one that fails."""
        name = self.ask(source, action, **spec)
        self("wait", "--for=condition=Failed", f"syncrun/{name}", PATIENCE)
        return self.status(name)


def manifest(source: str, action: str, **spec: Any) -> str:
    """A SyncRun that gets its name when it is created."""
    whole = {
        "apiVersion": "syncsource.dev/v1alpha1",
        "kind": "SyncRun",
        "metadata": {"generateName": f"{source}-{action.lower()}-"},
        "spec": {"source": source, "action": action, **spec},
    }
    return str(yaml.safe_dump(whole))
