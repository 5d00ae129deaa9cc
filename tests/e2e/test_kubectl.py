"""What people type: kubectl, the real one, at everything that the main path needs. Old ones too: Debian 12 ships 1.20."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Cluster, condition, history, secret
from tests.e2e.databases import Warehouse
from tests.e2e.product import environment
from tests.requiring import unavailable

Kubectl = Callable[..., subprocess.CompletedProcess[str]]
HEAD = ["NAME", "SCHEDULE", "SUSPENDED", "READY", "REASON", "ROWS", "LAST SYNC", "NEXT", "AGE"]
WIDE = [*HEAD, "SOURCE", "DESTINATION", "DURATION", "FAILURES", "ACCURACY", "MESSAGE"]


@pytest.fixture(scope="module")
def program() -> str:
    """Path of kubectl."""
    found = shutil.which("kubectl")
    if found is None:
        unavailable("kubectl", "it is not on PATH")
    return found


@pytest.fixture(scope="module")
def kubectl(program: str, cluster: Cluster) -> Kubectl:
    """Runs kubectl against the cluster."""

    def run(*arguments: str, stdin: str | None = None, fails: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
        where = ["--kubeconfig", str(cluster.kubeconfig), "--namespace", cluster.namespace]
        done = subprocess.run(
            [program, *where, *arguments], input=stdin, capture_output=True, text=True, timeout=60, env=environment(**env)
        )
        assert (done.returncode != 0) == fails, done.stdout + done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def file(api: Api, sqlite: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The manifest of the SyncSource ``orders`` with its Secret."""
    api.routes["/orders"] = Orders(250)
    manifests = [secret("db", url=sqlite.url), source("orders", api, "/orders", secret="db", table="orders", http={"pagination": PAGES})]
    manifests[1]["spec"]["schedule"] = {"every": "1h"}
    path = tmp_path_factory.mktemp("manifests") / "orders.yaml"
    path.write_text(yaml.safe_dump_all(manifests))
    return path


@pytest.fixture(scope="module")
def applied(kubectl: Kubectl, file: Path) -> str:
    """What ``kubectl apply`` said; the first run is over."""
    said = kubectl("apply", "-f", str(file)).stdout
    kubectl("wait", "--for=condition=Ready", "syncsource/orders", "--timeout=30s")
    return said


def cells(line: str) -> list[str]:
    """A line of a table."""
    return re.split(r" {2,}", line.strip())


def test_apply(applied: str, kubectl: Kubectl, file: Path) -> None:
    assert applied == "secret/db created\nsyncsource.syncsource.dev/orders created\n"
    assert kubectl("apply", "-f", str(file)).stdout.splitlines()[1].startswith("syncsource.syncsource.dev/orders ")


@pytest.mark.usefixtures("applied", "rules")
@pytest.mark.parametrize(("wrong", "part"), [("evry", "evry"), ("cron", "every")])
def test_apply_of_what_is_wrong(kubectl: Kubectl, file: Path, wrong: str, part: str) -> None:
    text = file.read_text().replace("    every: 1h\n", f"    every: 1h\n    {wrong}: 0 * * * *\n")
    refused = kubectl("apply", "-f", "-", stdin=text, fails=True).stderr
    assert part in refused
    assert "spec.schedule" in refused


@pytest.mark.usefixtures("applied")
def test_get(kubectl: Kubectl) -> None:
    head, row = kubectl("get", "syncsrc").stdout.splitlines()
    assert cells(head) == HEAD
    name, schedule, suspended, is_ready, reason, rows, last, following, age = cells(row)
    assert (name, schedule, suspended, is_ready, reason, rows) == ("orders", "every 1h", "false", "True", "Succeeded", "250")
    assert re.fullmatch(r"\d+s", last)
    assert datetime.fromisoformat(following) > datetime.now(UTC)
    assert re.fullmatch(r"\d+s", age)
    assert kubectl("get", "sync", "-o", "name").stdout == "syncsource.syncsource.dev/orders\n"


@pytest.mark.usefixtures("applied")
def test_get_wide(kubectl: Kubectl, api: Api) -> None:
    kubectl("annotate", "syncsource/orders", "syncsource.dev/verifyRequestedAt=now")
    kubectl("wait", "--for=jsonpath={.status.verification.result}=Succeeded", "syncsource/orders", "--timeout=30s")
    head, row = kubectl("get", "syncsources", "orders", "-o", "wide").stdout.splitlines()
    assert cells(head) == WIDE
    where, table, duration, failures, accuracy, message = cells(row)[9:]
    assert (where, table, failures, accuracy) == (f"http: {api.url}", "orders", "0", "100.0000")
    assert message == f"250 read, 250 inserted, 0 updated, 0 unchanged in {duration}"


@pytest.mark.usefixtures("applied")
def test_get_in_other_formats(kubectl: Kubectl, cluster: Cluster) -> None:
    held = cluster.get("orders")
    held["metadata"].pop("managedFields")
    for read, output in ((json.loads, "json"), (yaml.safe_load, "yaml")):
        shown: dict[str, Any] = read(kubectl("get", "syncsrc", "orders", "-o", output).stdout)
        shown["metadata"].pop("managedFields", None)
        assert json.loads(json.dumps(shown, default=_instant)) == held
    path = 'jsonpath={.status.lastRun.inserted}/{.status.conditions[?(@.type=="Ready")].status}'
    assert kubectl("get", "syncsrc", "orders", "-o", path).stdout == "250/True"


def _instant(value: datetime) -> str:
    """YAML reads what looks like one."""
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.usefixtures("applied")
def test_get_watch(program: str, cluster: Cluster) -> None:
    where = ["--kubeconfig", str(cluster.kubeconfig), "--namespace", cluster.namespace]
    command = [program, *where, "get", "syncsrc", "-w", "--no-headers", "-o", "custom-columns=A:.status.lastHandledRequestAt"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as watching:
        assert watching.stdout is not None
        try:
            watching.stdout.readline()
            cluster.annotate("orders", requestedAt="watched")
            assert "watched" in (line.strip() for line in iter(watching.stdout.readline, ""))
        finally:
            watching.terminate()
    cluster.request("orders", "watched-too")


@pytest.mark.usefixtures("applied")
def test_describe(kubectl: Kubectl, cluster: Cluster) -> None:
    cluster.wait_event("orders", "Succeeded")
    shown = kubectl("describe", "syncsource", "orders").stdout
    assert re.search(r"^Kind: +SyncSource$", shown, re.MULTILINE)
    assert re.search(r"^  Conditions:$", shown, re.MULTILINE)
    events = shown[shown.index("Events:") :].splitlines()
    assert cells(events[1]) == ["Type", "Reason", "Age", "From", "Message"]
    kind, reason, _, sender, message = cells(events[3])
    assert (kind, reason, sender) == ("Normal", "Succeeded", "syncsource")
    assert message.startswith("250 read, 250 inserted, 0 updated, 0 unchanged in ")


@pytest.mark.usefixtures("applied")
def test_explain(kubectl: Kubectl) -> None:
    shown = " ".join(kubectl("explain", "syncsource.spec.source.http").stdout.split())
    assert "DESCRIPTION: A REST API that answers with JSON. FIELDS: " in shown
    assert "baseURL <string> -required- Where the API begins, for example https://api.example/v1. Credentials belong in auth." in shown
    assert "rateLimit <Object> Shared by all SyncSources of one operator that hit the same host." in shown
    assert "Interval between the starts of runs, for example 5m." in kubectl("explain", "syncsrc.spec.schedule.every").stdout


@pytest.mark.usefixtures("applied")
def test_annotate(kubectl: Kubectl, cluster: Cluster) -> None:
    runs = len(history(cluster.get("orders")))
    command = ("annotate", "syncsource/orders", "syncsource.dev/requestedAt=now", "--overwrite")
    assert kubectl(*command).stdout == "syncsource.syncsource.dev/orders annotated\n"
    done = cluster.wait("orders", lambda held: held["status"]["lastHandledRequestAt"] == "now" and len(history(held)) == runs + 1)
    assert (history(done)[0]["trigger"], history(done)[0]["result"]) == ("Request", "Succeeded")


@pytest.mark.usefixtures("applied")
def test_patch(kubectl: Kubectl, cluster: Cluster) -> None:
    suspend = '{"spec": {"suspend": true, "suspendReason": "stocktaking"}}'
    assert kubectl("patch", "syncsrc", "orders", "--type", "merge", "-p", suspend).stdout == "syncsource.syncsource.dev/orders patched\n"
    kubectl("wait", "--for=condition=Suspended", "syncsrc/orders", "--timeout=30s")
    assert cells(kubectl("get", "syncsrc", "--no-headers").stdout)[:4] == ["orders", "every 1h", "true", "True"]
    resume = '[{"op": "remove", "path": "/spec/suspend"}]'
    kubectl("patch", "syncsrc", "orders", "--type", "json", "-p", resume)
    cluster.wait("orders", lambda held: not condition(held, "Suspended"))
    refused = kubectl("patch", "syncsrc", "orders", "--type", "merge", "-p", '{"spec": {"timeout": "soon"}}', fails=True).stderr
    assert 'spec.timeout: Invalid value: "soon"' in refused


@pytest.mark.usefixtures("applied")
def test_edit(kubectl: Kubectl, cluster: Cluster) -> None:
    said = kubectl("edit", "syncsrc", "orders", KUBE_EDITOR="sed -i 's/every: 1h/every: 2h/'").stdout
    assert said == "syncsource.syncsource.dev/orders edited\n"
    assert cluster.wait("orders", lambda held: held["status"]["effectiveSchedule"] == "every 2h")["spec"]["schedule"] == {"every": "2h"}
    assert kubectl("edit", "syncsrc", "orders", KUBE_EDITOR="true").stderr == "Edit cancelled, no changes made.\n"


@pytest.mark.usefixtures("applied")
def test_wait_in_vain(kubectl: Kubectl) -> None:
    assert kubectl("wait", "--for=condition=Stalled", "syncsrc/orders", "--timeout=1s", fails=True).stderr == (
        "error: timed out waiting for the condition on syncsources/orders\n"
    )


@pytest.mark.usefixtures("applied")
def test_delete(kubectl: Kubectl, cluster: Cluster, sqlite: Warehouse) -> None:
    said = kubectl("delete", "syncsrc", "orders").stdout
    assert re.fullmatch(r'syncsource.syncsource.dev "orders" deleted( from \S+ namespace)?\n', said)
    assert kubectl("get", "syncsrc", "orders", fails=True).stderr == (
        'Error from server (NotFound): syncsources.syncsource.dev "orders" not found\n'
    )
    assert kubectl("get", "syncsrc").stderr == f"No resources found in {cluster.namespace} namespace.\n"
    assert sqlite.sql("SELECT count(*) FROM orders") == [(250,)]
