"""What kubectl 1.32 printed against Kubernetes 1.36: the commands of ``conformance/cases.txt``, and how what they print is compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent / "conformance"
_VARYING = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "<time>"),
    (re.compile(r'("?resourceVersion"?: ?)"?\d+"?'), r"\1<rv>"),
    (re.compile(r"(Resource Version: +)\d+"), r"\1<rv>"),
    (re.compile(r'("?continue"?: ?)"[^"]+"'), r"\1<continue>"),
    (re.compile(r"(resource version: \d+ )\(\d+\)"), r"\1(<rv>)"),
    (re.compile(r"https?://[^/ :]+:\d+"), "<server>"),
    # At a line's start too: the age of an Event of 2026-01-01, which is that of the day of recording.
    (re.compile(r"(?:(?<=[ \t])|^)(\d+[smhdy])+( ago)?(?=\s|$)", re.M), "<age>"),
    (re.compile(r"<invalid>|<unknown>"), "<age>"),
    (re.compile(r"[ \t]+$", re.M), ""),
    (re.compile(r"(?<=\S)[ \t]{2,}(?=\S)"), "  "),
]
_UNORDERED = re.compile(r"(^\* .*\n)+|(^\S+: +\d+ bytes\n)+", re.M)  # the causes of an error, the keys of a described Secret
_NOISE = re.compile(r"^(Warning: .*managedFields.*|WARNING: version difference.*)\n", re.M)


@dataclass(frozen=True)
class Case:
    """One line: `~N` is stopped after and `@N` starts after N seconds; `!`, which says that it fails, is in the golden text."""

    name: str
    arguments: tuple[str, ...]
    stop: int | None
    delay: int


def cases(rename: Callable[[str], str] = str) -> Iterator[Case]:
    """All of them, in their order."""
    for line in (HERE / "cases.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, command = line.split(None, 1)
            yield _case(name, rename(command.strip()))


def run(case: Case, kubectl: str, folder: Path, env: dict[str, str]) -> str:
    """The command, its exit code and what it printed, as the golden texts have them."""
    time.sleep(case.delay)  # part of the case: kubectl's own cache of OpenAPI must have aged
    environment = {**os.environ, "KUBECTL_KUBERC": "false", "TZ": "UTC", **env}
    try:
        done = subprocess.run(
            [kubectl, *case.arguments], capture_output=True, text=True, cwd=folder, env=environment, timeout=case.stop or 60
        )
        out, code = done.stdout + done.stderr, str(done.returncode)
    except subprocess.TimeoutExpired as late:
        assert case.stop, "no answer in 60 s"
        out, code = (late.stdout or b"").decode(), "stopped"
    return f"$ kubectl {shlex.join(case.arguments)}\nexit {code}\n{_normal(out)}".rstrip()


def golden(case: Case, rename: Callable[[str], str] = str) -> str:
    """What it should be."""
    _, code, *rest = (HERE / "golden" / f"{case.name}.txt").read_text().splitlines(keepends=True)
    return f"$ kubectl {shlex.join(case.arguments)}\n{code}{_normal(rename(''.join(rest)))}".rstrip()


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
