"""Any split into batches, however often the read is interrupted, ends with the same table as one transaction."""

from __future__ import annotations

import os
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.database.batches.paged import Paged, batched, breaks_at, position
from tests.database.conftest import Place
from tests.database.engine import Engine
from tests.database.model import Record

EXAMPLES = 300 if os.environ.get("SYNCSOURCE_TEST_SOAK") else 12

changed = st.none() | st.integers(0, 9)
keyed = st.tuples(st.integers(1, 9), changed, st.sampled_from([1, 2, "lots"]))
"""Some of them are no rows."""
once = st.lists(keyed, max_size=14, unique_by=lambda one: one[0])
breaks = st.lists(st.integers(1, 8), max_size=4)


def _records(found: list[tuple[int, int | None, Any]], name: str) -> list[Record]:
    return [{"id": key, "name": f"{name}{number}", "amount": amount, "changed": when} for number, (key, when, amount) in enumerate(found)]


def _engine(place: Place, safety: dict[str, Any]) -> Engine:
    engine = batched(place, f"t{uuid4().hex[:12]}")
    engine.spec["safety"] = safety
    return engine


def _read(engine: Engine, upstream: Paged, breaks: list[int], *, full: bool) -> None:
    """Until a run goes through. One that can go on with a full read need not be asked for another."""
    for page in [*breaks, None]:
        upstream.meanwhile = breaks_at(page) if page else lambda number: None
        left = position(engine)
        if engine.run(upstream, full=full and not (left and left.full and left.resume)).result == "Succeeded":
            return
    raise AssertionError("the last one was to go through")


@pytest.mark.timeout(600)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=st.lists(keyed, max_size=14),
    second=once,
    most=st.integers(1, 6),
    size=st.integers(1, 4),
    breaking=st.tuples(breaks, breaks),
    resumes=st.booleans(),
)
def test_any_split_ends_with_the_same_table(
    sqlite: Place,
    first: list[tuple[int, int | None, Any]],
    second: list[tuple[int, int | None, Any]],
    most: int,
    size: int,
    breaking: tuple[list[int], list[int]],
    resumes: bool,
) -> None:
    """A first load, in which keys come several times, and then everything anew, in which they do not."""
    whole, parts = _engine(sqlite, {}), _engine(sqlite, {"transaction": "Batch", "batchRows": most})
    for found, name, breaks, full in ((first, "a", breaking[0], False), (second, "b", breaking[1], True)):
        records = _records(found, name)
        assert whole.run(Paged(records, size=size), full=full).result == "Succeeded"
        _read(parts, Paged(records, size=size, resumes=resumes), breaks, full=full)
        assert position(parts) is None
        assert parts.rows() == whole.rows()
        assert parts.cursor() == whole.cursor()
        assert parts.quarantined() == whole.quarantined()
