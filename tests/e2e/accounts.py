"""Service accounts of a control plane, and kubeconfigs that hold their tokens and nothing more."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def kubeconfig_with(token: str, kubeconfig: Path, path: Path) -> Path:
    """``kubeconfig`` with another token as its only credential, written to ``path``."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"] = [{"name": user["name"], "user": {"token": token}} for user in config["users"]]
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(config))
    return path


def rules_of(manifest: str, kind: str) -> list[dict[str, list[str]]]:
    """The rules of the one Role or ClusterRole of that kind in a file of ``manifests/``."""
    documents = yaml.safe_load_all((ROOT / "manifests" / manifest).read_text())
    [role] = [document for document in documents if document["kind"] == kind]
    found: list[dict[str, list[str]]] = role["rules"]
    return found
