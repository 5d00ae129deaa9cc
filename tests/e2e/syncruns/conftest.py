"""kubectl for the product's namespace."""

from __future__ import annotations

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.syncruns.kube import Kubectl


@pytest.fixture(scope="module")
def kubectl(cluster: Cluster) -> Kubectl:
    return Kubectl(cluster)
