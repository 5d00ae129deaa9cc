"""``syncsource validate`` and ``syncsource run``: without any control plane."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Object, secret
from tests.e2e.databases import Warehouse, sqlite_file
from tests.e2e.product import PROGRAM, environment, run


@pytest.fixture
def orders(api: Api) -> Orders:
    """250 of them."""
    api.routes["/orders"] = orders = Orders(250)
    return orders


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Warehouse]:
    """A fresh file."""
    with sqlite_file(tmp_path / "rows.db") as warehouse:
        yield warehouse


def write(file: Path, *manifests: Object) -> str:
    """The manifests in one file; its path."""
    file.write_text(yaml.safe_dump_all(manifests))
    return str(file)


def manifest(api: Api, **spec: Any) -> Object:
    """A SyncSource of the orders, its URL in key url of Secret db."""
    return source("orders", api, "/orders", secret="db", table="orders", **{"http": {"pagination": PAGES}, **spec})


def test_validate_says_valid(api: Api, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api), secret("db", url="sqlite:///x"))
    done = run("validate", "-f", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{file}#1: SyncSource orders: valid\n1 document of other kinds not checked\n"


def test_validate_lists_every_problem(api: Api, tmp_path: Path) -> None:
    wrong = manifest(api, schedule={"every": "5m", "cron": "61 * * * *"}, more=1, timeout="0s")
    file = write(tmp_path / "orders.yaml", wrong)
    done = run("validate", "-f", file)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{file}: SyncSource orders: 3 problems",
        "  spec.more: unknown field",
        "  spec.schedule: Invalid value: exactly one of every and cron must be set",
        '  spec.timeout: Invalid value: "0s": must be longer than 0s',
    ]


def test_validate_finds_what_no_schema_can_say(api: Api, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api, schedule={"cron": "61 * * * *"}))
    done = run("validate", "-f", file, "-o", "json")
    assert done.returncode == 1
    problem = {"field": "spec.schedule.cron", "message": "'61 * * * *' is not a cron expression: Bad minute"}
    assert json.loads(done.stdout) == [{"file": file, "name": "orders", "valid": False, "problems": [problem]}]


def test_validate_reads_standard_input_and_folders(api: Api, tmp_path: Path) -> None:
    assert run("validate", "-f", "-", stdin=yaml.safe_dump(manifest(api))).stdout == "-: SyncSource orders: valid\n"
    write(tmp_path / "a.yaml", manifest(api))
    (tmp_path / "notes.txt").write_text("not a manifest")
    assert run("validate", "-f", str(tmp_path)).stdout == f"{tmp_path}/a.yaml: SyncSource orders: valid\n"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"a: [", 2, "error: {file}: not YAML: "),
        (b"\xff\xfe\x00", 2, "error: {file}: not YAML: "),
        (b"", 1, ""),
        (b"- 1\n---\nnull\n---\nkind: SyncSource\nmetadata: []\n", 1, ""),
    ],
    ids=["broken", "binary", "empty", "odd"],
)
def test_validate_of_what_is_no_manifest(tmp_path: Path, content: bytes, code: int, said: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    done = run("validate", "-f", str(file))
    assert done.returncode == code
    assert done.stderr.startswith(said.format(file=file))
    assert "Traceback" not in done.stderr


def test_validate_of_no_file() -> None:
    done = run("validate", "-f", "/nonexistent.yaml")
    assert (done.returncode, done.stderr) == (2, "error: /nonexistent.yaml: No such file or directory\n")


def test_run_with_the_secret_from_the_file(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api), secret("db", url=rows.url))
    first, second = run("run", "-f", file), run("run", "-f", file, "-o", "json")
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.endswith(": 250 read, 250 inserted, 0 updated, 0 unchanged\n")
    assert first.stdout.startswith("Succeeded in ")
    told = json.loads(second.stdout)
    assert (told["result"], told["next"], told["counts"]["unchanged"], told["counts"]["inserted"]) == ("Succeeded", "Nothing", 250, 0)
    assert rows.sql("SELECT count(*) FROM orders")[0][0] == 250


def test_run_with_the_secret_from_an_env_file_and_the_environment(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api))
    (tmp_path / "env").write_text(f"# where the rows go\nexport DB_URL='{rows.url}'\n")
    assert run("run", "-f", file, "--env-file", str(tmp_path / "env"), env={"DB_URL": "sqlite:////nowhere/x.db"}).returncode == 0
    assert run("run", "-f", file, env={"DB_URL": rows.url}).returncode == 0


def test_run_without_its_secret_says_what_to_set(api: Api, tmp_path: Path) -> None:
    done = run("run", "-f", write(tmp_path / "orders.yaml", manifest(api)))
    assert done.returncode == 2
    assert (
        done.stderr
        == "error: default/orders needs Secrets that were not given:\n  Secret db, key url: add it to the files, or set DB_URL\n"
    )


def test_run_of_an_invalid_manifest_runs_nothing(api: Api, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api, timeout="soon"), secret("db", url="sqlite:///x"))
    done = run("run", "-f", file)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {file}#1 is not valid:\n  spec.timeout: Invalid value: ")


def test_run_of_several_asks_which(api: Api, tmp_path: Path) -> None:
    other = manifest(api)
    other["metadata"] = {"name": "other"}
    file = write(tmp_path / "orders.yaml", manifest(api), other)
    assert run("run", "-f", file).stderr == "error: the files have several SyncSources (orders, other): choose one with --name\n"
    assert run("run", "-f", file, "--name", "x").stderr == "error: no SyncSource named x in the files; there are: orders, other\n"


def test_run_that_fails_says_why_and_exits_1(api: Api, rows: Warehouse, tmp_path: Path) -> None:
    api.routes.pop("/orders", None)
    done = run("run", "-f", write(tmp_path / "orders.yaml", manifest(api), secret("db", url=rows.url)))
    assert done.returncode == 1
    assert "NotFound: " in done.stdout
    assert f"{api.url}/orders" in done.stdout
    assert "Traceback" not in done.stderr


def test_an_interrupted_run_leaves_nothing(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    file = write(tmp_path / "orders.yaml", manifest(api), secret("db", url=rows.url))
    orders.hold()
    process = subprocess.Popen([PROGRAM, "run", "-f", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    assert orders.held.wait(30)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=20)
    orders.release()
    assert (process.returncode, errors) == (1, "stopping; once more ends it at once\n")
    assert said.startswith("Interrupted after ")
    assert rows.sql("SELECT count(*) FROM orders")[0][0] == 0
    assert rows.sql("SELECT result, reason FROM syncsource_runs") == [("Interrupted", "Cancelled")]


@pytest.mark.parametrize("command", ["run", "preview", "test"])
def test_a_second_interrupt_ends_what_a_silent_database_holds_up(api: Api, tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://user:password@127.0.0.1:{silent.getsockname()[1]}/rows"
        words = [PROGRAM, command, "-f", write(tmp_path / "orders.yaml", manifest(api), secret("db", url=url))]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()) as process:
            held, _ = silent.accept()
            process.send_signal(signal.SIGINT)
            assert process.stderr
            assert process.stderr.readline() == "stopping; once more ends it at once\n"
            process.send_signal(signal.SIGINT)
            assert process.stderr.read() == "\nAborted!\n"
        held.close()
    assert process.returncode == 1


def test_full_ignores_the_cursor(api: Api, orders: Orders, rows: Warehouse, tmp_path: Path) -> None:
    incremental = {"cursor": "modified", "param": "modified_after"}
    file = write(tmp_path / "orders.yaml", manifest(api, incremental=incremental), secret("db", url=rows.url))
    reads = [json.loads(run("run", "-f", file, "-o", "json", *more).stdout)["counts"]["read"] for more in ([], [], ["--full"])]
    assert reads == [250, 1, 250]
