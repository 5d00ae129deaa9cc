"""The product as its user starts it: ``syncsource …`` as processes."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.e2e.cluster import Cluster

PROGRAM = str(Path(sys.executable).parent / "syncsource")
STARTS_WITHIN = 120.0
EMBEDDED = not os.environ.get("KUBEBUILDER_ASSETS")
"""Whether ``syncsource up`` brings its own control plane; else it starts the kube-apiserver and etcd that the variable names."""
ENDS_WITHIN = 10.0 if EMBEDDED else 30.0

embedded_only = pytest.mark.skipif(not EMBEDDED, reason="KUBEBUILDER_ASSETS: this is about the embedded control plane")


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would point the product elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name not in ("KUBECONFIG", "KUBE_EDITOR", "EDITOR")}
    return kept | {"KUBECTL_KUBERC": "false", **more}


@dataclass
class Product:
    """A running ``syncsource up`` or ``syncsource operator``, and the control plane it works for."""

    process: subprocess.Popen[str]
    folder: Path
    cluster: Cluster
    welcome: str = ""

    @property
    def log(self) -> str:
        """What it has said on standard error so far."""
        return _log(self.folder).read_text()

    @property
    def workers(self) -> list[psutil.Process]:
        """Its worker processes."""
        return [child for child in self.children if "syncsource.runner.worker" in command(child)]

    @property
    def children(self) -> list[psutil.Process]:
        """Every process below it."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, as Ctrl-C or a service manager does. AssertionError where it takes too long, or leaves a process behind."""
        children = self.children
        self.process.send_signal(number)
        try:
            code = self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it did not end within {ENDS_WITHIN} s of signal {number}:\n{self.log}") from None
        _, left = psutil.wait_procs(children, timeout=1)
        assert not left, f"it left processes behind: {[command(process) for process in left]}"
        return code

    def kill(self) -> None:
        """SIGKILL for it alone: its children must notice by themselves. AssertionError where one stays."""
        children = self.children
        self.process.kill()
        self.process.wait()
        _, left = psutil.wait_procs(children, timeout=ENDS_WITHIN)
        for process in left:
            process.kill()
        assert not left, f"these outlived it: {left}"


@contextmanager
def up(folder: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Product]:
    """``syncsource up --dir FOLDER``, once it has said its welcome. Ended with the block, where it must exit with 0."""
    folder.mkdir(parents=True, exist_ok=True)
    with _started(folder, ["up", "--dir", str(folder), *options], env) as process:
        welcome = _welcome(process, folder)
        with closing(Cluster(folder / "kubeconfig")) as cluster:
            yield (product := Product(process, folder, cluster, welcome))
        if product.process.poll() is None:
            assert product.stop() == 0, product.log


@contextmanager
def operator(folder: Path, cluster: Cluster, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Product]:
    """``syncsource operator`` for the cluster's namespace. Ended with the block, where it must exit with 0."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["operator", "--kubeconfig", str(cluster.kubeconfig), "--namespace", cluster.namespace, *options]
    with _started(folder, arguments, env) as process:
        yield (product := Product(process, folder, cluster))
        if product.process.poll() is None:
            assert product.stop() == 0, product.log


@contextmanager
def _started(folder: Path, arguments: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """The process, its errors appended to a file of the folder."""
    with _log(folder).open("a") as errors:
        process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(**(env or {})),
        )
    try:
        yield process
    finally:
        _reap(process)


def _reap(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(process.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _welcome(process: subprocess.Popen[str], folder: Path) -> str:
    """What it prints until it says how to stop it."""
    assert process.stdout is not None
    said, ends = "", time.monotonic() + STARTS_WITHIN
    while "Ctrl-C" not in said:
        readable, _, _ = select.select([process.stdout], [], [], max(ends - time.monotonic(), 0))
        chunk = os.read(process.stdout.fileno(), 65536).decode() if readable else ""
        assert chunk, f"syncsource up said no welcome but {said!r}; its errors:\n{_log(folder).read_text()}"
        said += chunk
    return said


def run(
    *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None, cwd: Path | None = None, seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """A command of the product, to its end."""
    return subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, text=True, env=environment(**(env or {})), cwd=cwd, timeout=seconds
    )


def _log(folder: Path) -> Path:
    return folder / "stderr.log"


def command(process: psutil.Process) -> str:
    """Its command line; empty where it is gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
