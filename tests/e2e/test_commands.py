"""The commands that ask something of a control plane, and ``syncsource up`` itself."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.shell_completion import ShellComplete

from syncsource.cli.main import main
from syncsource.resource.generating import crd_json, crd_yaml
from tests.e2e import product as processes
from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import condition, ready, secret
from tests.e2e.databases import Warehouse
from tests.e2e.product import Product, run


class Cli:
    """The program, pointed at the product's control plane."""

    def __init__(self, product: Product) -> None:
        self._where = ["--kubeconfig", str(product.cluster.kubeconfig), "--namespace", product.cluster.namespace]

    def __call__(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        done = run(command, *arguments, *self._where)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def cli(product: Product) -> Cli:
    return Cli(product)


@pytest.fixture
def name(request: pytest.FixtureRequest, product: Product, api: Api, sqlite: Warehouse) -> Iterator[str]:
    """A SyncSource of 250 orders that runs on request only."""
    name = request.node.name.removeprefix("test_").replace("_", "-")
    api.routes[f"/{name}"] = Orders(250)
    product.cluster.apply(
        secret("db", url=sqlite.url),
        source(name, api, f"/{name}", secret="db", table=name.replace("-", "_"), http={"pagination": PAGES}),
    )
    product.cluster.wait(name, lambda found: condition(found, "Syncing"))
    yield name
    product.cluster.delete(name)


def test_sync(cli: Cli, name: str) -> None:
    code, said, errors = cli("sync", name)
    assert (code, errors) == (0, "")
    assert said.startswith(f"{name}: Succeeded: 250 read, 250 inserted, 0 updated, 0 unchanged in ")


def test_sync_as_json(cli: Cli, name: str) -> None:
    code, said, _ = cli("sync", name, "-o", "json")
    (told,) = json.loads(said)
    assert code == 0
    assert (told["name"], told["run"]["result"], told["run"]["trigger"], told["run"]["inserted"]) == (name, "Succeeded", "Request", 250)


def test_sync_that_fails(cli: Cli, name: str, api: Api, product: Product) -> None:
    del api.routes[f"/{name}"]
    code, said, _ = cli("sync", name)
    assert code == 1
    assert said.startswith(f"{name}: Failed: NotFound: ")
    assert condition(product.cluster.get(name), "Ready")["reason"] == "NotFound"


def test_sync_while_suspended_is_refused(cli: Cli, name: str, product: Product) -> None:
    assert cli("suspend", name, "--reason", "moving house") == (0, f"{name}: suspended (moving house)\n", "")
    product.cluster.wait(name, lambda found: condition(found, "Suspended").get("message") == "moving house")
    code, said, _ = cli("sync", name)
    assert code == 1
    assert said == f"{name}: Refused: Suspended: The request was refused and will not run later: Suspended: moving house.\n"
    assert cli("resume", name) == (0, f"{name}: resumed\n", "")
    product.cluster.wait(name, lambda found: not condition(found, "Suspended"))
    assert cli("sync", name)[0] == 0
    results = [entry["result"] for entry in product.cluster.get(name)["status"]["history"]]
    assert results == ["Succeeded", "Refused"], "what was refused did not run after all"


def test_sync_without_waiting(cli: Cli, name: str, product: Product) -> None:
    assert cli("sync", name, "--no-wait") == (0, f"{name}: requested\n", "")
    product.cluster.wait(name, ready)


def test_sync_that_outlasts_its_patience(cli: Cli, name: str, api: Api) -> None:
    orders = Orders(250)
    orders.hold()
    api.routes[f"/{name}"] = orders
    code, said, _ = cli("sync", name, "--timeout", "1s")
    orders.release()
    assert (code, said) == (1, f"{name}: no outcome within 1 s; is an operator running? The request stands\n")


def test_sync_by_label(cli: Cli, name: str, product: Product) -> None:
    product.cluster.patch(name, {"metadata": {"labels": {"team": "north"}}})
    code, said, _ = cli("sync", "-l", "team=north", "-o", "json")
    assert (code, [told["name"] for told in json.loads(said)]) == (0, [name])
    assert cli("sync", "-l", "team=south")[2].endswith("match team=south\n")


@pytest.mark.parametrize("arguments", [(), ("a", "--all"), ("-l", "a=b", "--all")])
def test_which_must_be_said(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert cli("sync", *arguments) == (2, "", "error: say which SyncSources: their names, -l SELECTOR, or --all\n")


def test_what_is_not_there(cli: Cli) -> None:
    assert cli("sync", "nothing") == (1, "", 'error: syncsources.syncsource.dev "nothing" not found\n')
    assert cli("history", "nothing") == (1, "", 'error: syncsources.syncsource.dev "nothing" not found\n')


def test_a_bad_timeout_is_named(cli: Cli, name: str) -> None:
    code, _, errors = cli("sync", name, "--timeout", "soon")
    assert code == 2
    assert "'soon' is not a duration: write a number and a unit" in errors


def test_history(cli: Cli, name: str) -> None:
    assert cli("history", name) == (0, f"{name} has not run yet\n", "")
    cli("sync", name)
    code, said, _ = cli("history", name)
    head, line = said.splitlines()
    assert code == 0
    assert head.split() == [
        "RUN",
        "TRIGGER",
        "STARTED",
        "TOOK",
        "RESULT",
        "READ",
        "INSERTED",
        "UPDATED",
        "UNCHANGED",
        "SKIPPED",
        "QUARANTINED",
        "DELETED",
        "CONFLICTS",
        "MESSAGE",
    ]
    assert line.split()[4:] == ["Succeeded", "250", "250", "0", "0", "0", "0", "0", "0"]
    as_json, as_yaml = json.loads(cli("history", name, "-o", "json")[1]), yaml.safe_load(cli("history", name, "-o", "yaml")[1])
    assert as_json == as_yaml
    assert (as_json[0]["inserted"], as_json[0]["trigger"]) == (250, "Request")


def test_crds_and_completion() -> None:
    assert run("crds").stdout == crd_yaml()
    assert run("crds", "-o", "json").stdout == crd_json()
    for shell in ("bash", "zsh", "fish"):
        done = run("completion", shell)
        assert done.returncode == 0
        assert "_SYNCSOURCE_COMPLETE" in done.stdout


def test_without_a_control_plane(tmp_path: Path) -> None:
    for arguments in (("sync", "orders"), ("operator",)):
        done = run(*arguments, env={"HOME": str(tmp_path)}, cwd=tmp_path)
        assert done.returncode == 1
        assert "error: no control plane: " in done.stderr
        assert done.stderr.endswith("start one with `syncsource up`, or give --kubeconfig\n")


def test_up_on_a_folder_in_use(tmp_path: Path) -> None:
    with processes.up(tmp_path):
        done = run("up", "--dir", str(tmp_path))
        assert done.returncode == 1
        assert "error: " in done.stderr
        assert "Traceback" not in done.stderr


def test_the_demo_ends_by_itself_without_a_terminal(tmp_path: Path) -> None:
    began = time.monotonic()
    first = run("up", "--demo", "--dir", str(tmp_path), seconds=120)
    again = run("up", "--demo", "--once", "--dir", str(tmp_path), seconds=120)
    for done in (first, again):
        assert done.returncode == 0, done.stderr
        table, counts = done.stdout.split("\n\n")
        head, *lines = table.splitlines()
        assert head.split() == ["NAME", "SCHEDULE", "SUSPENDED", "READY", "REASON", "ROWS", "LAST", "SYNC", "NEXT", "AGE"]
        assert [(line.split()[0], line.split()[4:6]) for line in lines] == [
            (name, ["True", "Succeeded"]) for name in ("orders", "products", "stores")
        ]
        rows = {line.split()[0]: int(line.split()[1].replace(",", "")) for line in counts.splitlines()}
        assert rows["orders"] >= 520
        assert (rows["stores"], rows["products"]) == (21, 120)
    assert time.monotonic() - began < 90


def test_up_refuses_options_that_exclude_each_other(tmp_path: Path) -> None:
    done = run("up", "--no-operator", "--demo", "--dir", str(tmp_path / "x"))
    assert done.returncode == 2
    assert "--no-operator goes with neither --once nor --demo" in done.stderr
    assert not (tmp_path / "x").exists()


def test_a_shell_is_told_how_names_go_on(product: Product, name: str) -> None:
    complete = ShellComplete(main, {}, "syncsource", "_SYNCSOURCE_COMPLETE").get_completions
    where = ["--kubeconfig", str(product.cluster.kubeconfig), "-n", product.cluster.namespace]
    for command in ("sync", "suspend", "resume", "history"):
        assert name in [found.value for found in complete([command, *where], name[:2])]
        assert complete([command, *where], "none-begins-so") == []
    assert complete(["sync", "--kubeconfig", "/nowhere"], "") == []


def test_a_shell_is_told_of_files_and_the_names_in_them(tmp_path: Path) -> None:
    complete = ShellComplete(main, {}, "syncsource", "_SYNCSOURCE_COMPLETE").get_completions
    file = tmp_path / "two.yaml"
    file.write_text(yaml.safe_dump_all([{"kind": "SyncSource", "metadata": {"name": name}} for name in ("orders", "stores")]))
    for command in ("run", "preview", "test", "import", "quarantine"):
        assert [found.type for found in complete([command, "-f"], "")] == ["file"]
        assert [found.value for found in complete([command, "-f", str(file), "--name"], "st")] == ["stores"]
    assert [found.value for found in complete(["quarantine", "-f", str(file)], "")] == ["orders", "stores"]
    assert complete(["run", "-f", str(tmp_path / "none.yaml"), "--name"], "") == []
