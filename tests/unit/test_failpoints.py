"""Failpoints: in a process of their own, since they end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from syncsource import failpoints

HITS = """
import sys
from syncsource import failpoints
for name in sys.argv[1:]:
    failpoints.hit(name)
    print(name, flush=True)
"""


def hits(folder: Path | None, *names: str) -> subprocess.CompletedProcess[str]:
    """A process that comes to these places in turn, and prints each that it left."""
    environment = {name: value for name, value in os.environ.items() if name != failpoints.VARIABLE}
    if folder is not None:
        environment[failpoints.VARIABLE] = str(folder)
    return subprocess.run([sys.executable, "-c", HITS, *names], env=environment, capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("armed", "survived", "left"),
    [
        ({}, ["a", "a", "b"], []),
        ({"c": "kill"}, ["a", "a", "b"], ["c"]),
        ({"a": "kill"}, [], []),
        ({"a": "kill\n"}, [], []),
        ({"a": "kill 1"}, [], []),
        ({"b": "kill"}, ["a", "a"], []),
        ({"a": "kill 2"}, ["a"], []),
        ({"a": "kill 3"}, ["a", "a", "b"], ["a"]),
        ({"a": "kill 2", "b": "kill"}, ["a"], ["b"]),
    ],
)
def test_it_kills_at_the_hit_that_its_file_says(armed: dict[str, str], survived: list[str], left: list[str], tmp_path: Path) -> None:
    for name, text in armed.items():
        (tmp_path / name).write_text(text)
    ended = hits(tmp_path, "a", "a", "b")
    assert ended.stdout.split() == survived
    assert ended.returncode == (0 if survived == ["a", "a", "b"] else -signal.SIGKILL)
    assert sorted(os.listdir(tmp_path)) == left


def test_hits_are_counted_over_processes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kill 3")
    assert [hits(tmp_path, "a").returncode for _ in range(4)] == [0, 0, -signal.SIGKILL, 0]


def test_it_stops_and_goes_on(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("stop")
    environment = os.environ | {failpoints.VARIABLE: str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HITS, "a", "a"], env=environment, stdout=subprocess.PIPE, text=True) as process:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert not (tmp_path / "a").exists()
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=30)[0].split() == ["a", "a"]
    assert process.returncode == 0


@pytest.mark.parametrize("text", ["", "explode", "kill x", "kill -1", "kill 1 2", "KILL"])
def test_a_file_that_says_something_else(text: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_text(text)
    ended = hits(tmp_path, "a")
    assert ended.returncode == 1
    assert f"a failpoint's file says {text!r}: it must say kill or stop, and may add at which hit" in ended.stderr


def test_without_the_variable_nothing_happens(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("kill")
    assert hits(None, "a").stdout.split() == ["a"]
    assert (tmp_path / "a").exists()


def test_no_folder_fires_nothing(tmp_path: Path) -> None:
    assert hits(tmp_path / "missing", "a").returncode == 0
