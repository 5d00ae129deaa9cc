"""kubectl prints against this server what it printed against Kubernetes 1.36: `conformance/cases.txt` against `golden/`."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "conformance"
VERSION = "1.32"
_VARYING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r'("?resourceVersion"?: ?)"?\d+"?'), r"\1<rv>"),
    (re.compile(r"(Resource Version: +)\d+"), r"\1<rv>"),
    (re.compile(r'("?continue"?: ?)"[^"]+"'), r"\1<continue>"),
    (re.compile(r"(resource version: \d+ )\(\d+\)"), r"\1(<rv>)"),
    (re.compile(r"https?://[^/ :]+:\d+"), "<server>"),
    (re.compile(r"(?:(?<=[ \t])|^)(\d+[smhdy])+( ago)?(?=\s|$)", re.M), "<age>"),  # at a line's start too: the day of recording
    (re.compile(r"<invalid>|<unknown>"), "<age>"),
    (re.compile(r"[ \t]+$", re.M), ""),
    (re.compile(r"(?<=\S)[ \t]{2,}(?=\S)"), "  "),
]
_UNORDERED = re.compile(r"(^\* .*\n)+|(^\S+: +\d+ bytes\n)+", re.M)  # the causes of an error, the keys of a described Secret
_NOISE = re.compile(r"^(Warning: .*managedFields.*|WARNING: version difference.*)\n", re.M)


@dataclass(frozen=True)
class Case:
    """One line: `!` is expected to fail, `~N` is stopped after and `@N` starts after N seconds."""

    name: str
    arguments: tuple[str, ...]
    stop: int | None
    delay: int


def _cases() -> Iterator[Case]:
    for line in (HERE / "cases.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, command = line.split(None, 1)
            yield _case(name, command.strip())


def _case(name: str, command: str) -> Case:
    stop, delay = None, 0
    while command[0] in "!~@":
        mark, command = command.split(None, 1)
        stop = int(mark[1:]) if mark[0] == "~" else stop
        delay = int(mark[1:]) if mark[0] == "@" else delay
    return Case(name, tuple(_words(command)), stop, delay)


def _words(command: str) -> list[str]:
    """Split on spaces that are not inside brackets; `team in (north)` is one word."""
    words, depth = [""], 0
    for char in command:
        depth += (char in "{[(") - (char in "}])")
        if char == " " and depth == 0:
            words.append("")
        else:
            words[-1] += char
    joined: list[str] = []
    for word in words:
        if joined and (word == "in" or joined[-1].endswith(" in")):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


def _normal(text: str) -> str:
    text = _NOISE.sub("", text)
    for pattern, instead in _VARYING:
        text = pattern.sub(instead, text)
    return _UNORDERED.sub(lambda found: "".join(sorted(found[0].splitlines(True))), text.rstrip() + "\n")


@pytest.fixture(scope="module")
def matching_kubectl(kubectl_path: str) -> str:
    env = {**os.environ, "KUBECONFIG": os.devnull}
    said = subprocess.run([kubectl_path, "version", "--client", "-o", "json"], capture_output=True, text=True, env=env, timeout=60)
    version = json.loads(said.stdout)["clientVersion"]["gitVersion"] if said.returncode == 0 else "unknown"
    if not version.startswith(f"v{VERSION}."):
        pytest.skip(f"the golden files are of kubectl {VERSION}, this is {version}")
    return kubectl_path


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in _cases()])
def test_kubectl_prints_what_it_does_against_kubernetes(case: Case, matching_kubectl: str, server) -> None:
    env = {**os.environ, "KUBECONFIG": str(server.kubeconfig), "KUBECTL_KUBERC": "false", "TZ": "UTC"}
    time.sleep(case.delay)  # part of the case: kubectl's own cache of OpenAPI must have aged
    try:
        done = subprocess.run(
            [matching_kubectl, *case.arguments], capture_output=True, text=True, cwd=HERE, env=env, timeout=case.stop or 60
        )
        out, code = done.stdout + done.stderr, str(done.returncode)
    except subprocess.TimeoutExpired as late:
        assert case.stop, "no answer in 60 s"
        out, code = (late.stdout or b"").decode(), "stopped"
    got = f"$ kubectl {shlex.join(case.arguments)}\nexit {code}\n{_normal(out)}"
    golden = (HERE / "golden" / f"{case.name}.txt").read_text()
    head, code_line, *rest = golden.splitlines(keepends=True)
    assert got.rstrip() == f"{head}{code_line}{_normal(''.join(rest))}".rstrip()
