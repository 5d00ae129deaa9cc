"""``syncsource up`` as long as it runs: its first words, a second one, its end; and a control plane that is gone."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import yaml

from tests.e2e import product as processes
from tests.e2e.product import run


def test_it_says_what_to_type(tmp_path: Path) -> None:
    with processes.up(tmp_path) as product:
        assert product.welcome == (
            f"The control plane answers at {tmp_path}/kubeconfig; in another terminal:\n\n"
            f"  export KUBECONFIG={tmp_path}/kubeconfig\n  kubectl get syncsrc -w\n  kubectl apply -f my-source.yaml\n\n"
            "Ctrl-C stops it; what is in the state folder stays.\n"
        )
        second = run("up", "--dir", str(tmp_path))
        assert (second.returncode, second.stdout) == (1, "")
        assert second.stderr.startswith(f"error: another control plane is already running in {tmp_path}\n")
        assert product.process.poll() is None
        assert product.stop(signal.SIGINT) == 0
        config = tmp_path / "kubeconfig"
        port = yaml.safe_load(config.read_text())["clusters"][0]["cluster"]["server"].rpartition(":")[2]
        gone = run("history", "x", "--kubeconfig", str(config))
        assert (gone.returncode, gone.stdout) == (1, "")
        assert gone.stderr == (
            f"error: the control plane does not answer: HTTPSConnection(host='127.0.0.1', port={port}): "
            "Failed to establish a new connection: [Errno 111] Connection refused; is `syncsource up` running?\n"
        )


def test_second_call_of_the_demo(tmp_path: Path) -> None:
    took = []
    for _ in range(2):
        began = time.monotonic()
        done = run("up", "--demo", "--once", "--dir", str(tmp_path), seconds=120)
        took.append(time.monotonic() - began)
        assert (done.returncode, done.stderr) == (0, "")
    assert took[1] < 15
