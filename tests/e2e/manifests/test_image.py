"""The image agrees with what it is made of, with the manifests and with the program."""

from __future__ import annotations

import json
import re
import shlex

import yaml

from syncsource import __version__
from syncsource.cli.operate import operator
from tests.e2e.accounts import ROOT


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


def _instructions() -> list[list[str]]:
    text = (ROOT / "operator" / "Containerfile").read_text().replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]
