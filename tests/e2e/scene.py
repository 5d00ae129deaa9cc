"""One SyncSource of orders, with all that it needs, and what its runs did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.e2e.api import PAGES, Api, Orders, source
from tests.e2e.cluster import Cluster, Object, secret
from tests.e2e.databases import Warehouse


@dataclass
class Scene:
    """One SyncSource of orders, which is not applied yet."""

    name: str
    cluster: Cluster
    api: Api
    orders: Orders
    warehouse: Warehouse

    @property
    def path(self) -> str:
        return f"/{self.name}"

    @property
    def table(self) -> str:
        return self.name.replace("-", "_")

    def apply(self, **spec: Any) -> None:
        """With its Secret."""
        spec = {"http": {"pagination": PAGES}, **spec}
        self.cluster.apply(
            secret(f"{self.name}-db", url=self.warehouse.url),
            source(self.name, self.api, self.path, secret=f"{self.name}-db", table=self.table, **spec),
        )

    def wait(self, until: Any, seconds: float = 30) -> Object:
        return self.cluster.wait(self.name, until, seconds=seconds)

    def request(self, token: str) -> Object:
        return self.cluster.request(self.name, token)

    def rows(self) -> set[tuple[Any, ...]]:
        text = "CHAR" if self.warehouse.kind == "mariadb" else "TEXT"
        found = self.warehouse.sql(f"SELECT id, customer, CAST(total AS {text}) FROM {self.table}")
        rows = {tuple(row) for row in found}
        assert len(rows) == len(found)
        return rows

    def asked(self) -> list[dict[str, str]]:
        return self.api.asked(self.path)


COUNTS = ("read", "inserted", "updated", "unchanged", "skipped", "quarantined", "deleted", "conflicts")


def counts(entry: Object) -> dict[str, int]:
    """What a run of the history did."""
    return {name: entry[name] for name in COUNTS}


def did(**some: int) -> dict[str, int]:
    """The counts of a run; those that are not named are 0."""
    return dict.fromkeys(COUNTS, 0) | some
