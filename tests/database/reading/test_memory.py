"""A read takes the memory of a page, however many rows there are."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.database.reading.origin import Origin

ROWS = 200_000
ORDERS = {
    "postgresql": "SELECT n AS id, repeat('x', 500) AS note, now() AS changed FROM generate_series(1, {rows}) AS n",
    "mariadb": "SELECT seq AS id, REPEAT('x', 500) AS note, NOW(6) AS changed FROM seq_1_to_{rows}",
    "sqlite": "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n LIMIT {rows}) SELECT id, hex(zeroblob(250)) AS note, '' AS changed FROM n",
}
READER = """
import json, resource, sys
from tests.database.reading.origin import Origin, spec_of
from syncsource.sources.base import Slice
url, query = json.load(sys.stdin)
source = Origin("", url, None).source(spec_of(query=query, pageSize=2000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
read = 0
for page in source.pages(Slice()):
    read += len(page.records)
    del page
print(json.dumps([read, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


@pytest.mark.soak
@pytest.mark.skipif(not os.environ.get("SYNCSOURCE_TEST_SOAK"), reason="soak: three processes that read 200,000 rows each")
def test_many_rows_take_no_more_memory_than_a_few_pages(origin: Origin) -> None:
    """All at once, with 500 characters each, they would take more than 100 MiB."""
    question = json.dumps([origin.url, ORDERS[origin.kind].format(rows=ROWS)])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["operator", "."])}
    done = subprocess.run([sys.executable, "-c", READER], input=question, capture_output=True, text=True, check=True, env=environment)
    read, grown = json.loads(done.stdout)
    assert read == ROWS
    assert grown < 15, f"{grown:.0f} MiB for {ROWS:,} rows"
