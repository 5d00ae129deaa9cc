"""The product, as its user runs it; databases for its rows; an upstream that tests change at any time."""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from syncsource.resource.generating import crd_yaml
from tests.e2e import product as processes
from tests.e2e.api import Api, Orders
from tests.e2e.cluster import Cluster, condition
from tests.e2e.databases import Warehouse, mariadb_database, postgresql_schema, sqlite_file
from tests.e2e.product import Product
from tests.e2e.scene import Scene
from tests.mariadb import mariadb_server
from tests.postgres import postgresql_server

CLUSTER = "SYNCSOURCE_TEST_KUBECONFIG"
"""Names the kubeconfig of a cluster that takes the embedded control plane's place."""

CRD_NAME = "syncsources.syncsource.dev"

_running = pytest.StashKey[Product]()


@pytest.fixture(scope="module")
def product(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """``syncsource up``; with SYNCSOURCE_TEST_KUBECONFIG ``syncsource operator`` in a namespace of its own there."""
    folder = tmp_path_factory.mktemp("product")
    named = os.environ.get(CLUSTER)
    with _operator(folder, Path(named)) if named else processes.up(folder / "up") as product:
        request.node.stash[_running] = product
        yield product


@contextmanager
def _operator(folder: Path, kubeconfig: Path) -> Iterator[Product]:
    cluster = Cluster(kubeconfig, f"syncsource-test-{uuid4().hex[:8]}")
    cluster.apply(*yaml.safe_load_all(crd_yaml()), {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster.namespace}})
    cluster.wait(CRD_NAME, lambda definition: condition(definition, "Established").get("status") == "True", kind="CustomResourceDefinition")
    try:
        with processes.operator(folder, cluster) as product:
            yield product
    finally:
        cluster.delete(cluster.namespace, "Namespace")


@pytest.fixture(scope="module")
def cluster(product: Product) -> Cluster:
    """The namespace that the product works in."""
    return product.cluster


@pytest.fixture(scope="module")
def rules(cluster: Cluster) -> None:
    """The API server checks the rules of the CustomResourceDefinition; tests are skipped where it does not know them."""
    if "x-kubernetes-validations" not in json.dumps(cluster.get(CRD_NAME, "CustomResourceDefinition")):
        pytest.skip("this API server knows no rules, which came with Kubernetes 1.25")


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """An upstream."""
    with Api.serving() as api:
        yield api


@pytest.fixture(scope="session")
def postgresql_uri() -> Iterator[str]:
    """One server for the worker's tests."""
    with postgresql_server() as uri:
        yield uri


@pytest.fixture(scope="module")
def postgresql(postgresql_uri: str) -> Iterator[Warehouse]:
    """A schema of its own."""
    with postgresql_schema(postgresql_uri) as warehouse:
        yield warehouse


@pytest.fixture(scope="session")
def mariadb_uri() -> Iterator[str]:
    """One server for the worker's tests."""
    with mariadb_server() as uri:
        yield uri


@pytest.fixture(scope="module")
def mariadb(mariadb_uri: str) -> Iterator[Warehouse]:
    """A database of its own."""
    with mariadb_database(mariadb_uri) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A file of its own."""
    with sqlite_file(tmp_path_factory.mktemp("sqlite") / "rows.db") as warehouse:
        yield warehouse


@pytest.fixture(params=["postgresql", "sqlite"])
def warehouse(request: pytest.FixtureRequest) -> Warehouse:
    """Each kind of database in turn."""
    found: Warehouse = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def scene(request: pytest.FixtureRequest, cluster: Cluster, api: Api, warehouse: Warehouse) -> Scene:
    """250 orders, and a SyncSource named after the test that is not applied yet."""
    function = request.node.originalname.removeprefix("test_").replace("_", "-")
    scene = Scene(f"{function[:40].strip('-')}-{warehouse.kind}", cluster, api, Orders(250), warehouse)
    api.routes[scene.path] = scene.orders
    return scene


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where a test fails, what the product said on standard error is shown."""
    report = yield
    module = item.getparent(pytest.Module)
    if report.failed and module is not None and _running in module.stash:
        report.sections.append(("standard error of syncsource", module.stash[_running].log))
    return report
