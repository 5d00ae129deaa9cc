"""Whatever an API server sends is projected, drawn and searched without an error, and without a control character."""

from __future__ import annotations

import unicodedata
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource_tui.core import columns, events, overview, runs, yamltext
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.query import parse
from syncsource_tui.core.row import project
from syncsource_tui.core.state import State
from syncsource_tui.core.text import width_of
from syncsource_tui.core.times import Clock
from tests.tui.stage import NOW, ago, condition, entry, failed, ready, running

CLOCK = Clock(lambda: NOW, UTC)
NAMES = [
    *("metadata", "spec", "status", "name", "namespace", "uid", "labels", "annotations", "conditions", "history", "currentRun", "lastRun"),
    *("type", "reason", "message", "id", "startedAt", "read", "quarantined", "source", "http", "destination", "sql", "keys", "fields"),
    *("lastSuccessTime", "nextRunTime", "suspend", "generation", "observedGeneration", "creationTimestamp", "result", "series", "count"),
    *("verification", "time", "accuracy", "sample", "cells", "missing", "schedule", "nextTime"),
]
TEXT = st.text(st.characters(codec=None), max_size=12)
leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT, st.sampled_from([ago(5), "\x1b[2J", "True"]))
anything = st.recursive(
    leaf, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)), max_leaves=30
)
objects = st.fixed_dictionaries(
    {
        "metadata": st.fixed_dictionaries(
            {"uid": st.just("u"), "name": st.just("n")}, optional={"labels": anything, "namespace": anything}
        ),
        "spec": anything,
        "status": st.one_of(anything, st.dictionaries(st.sampled_from(NAMES), anything, max_size=8)),
    }
)


def clean(cells: list[Cell]) -> bool:
    return all(harmless(cell.text) for cell in cells)


def harmless(text: str) -> bool:
    return not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(objects)
@settings(max_examples=150)
def test_any_object_is_drawn(source: dict[str, Any]) -> None:
    row = project(source)
    assert row is not None
    cells = columns.cells(row, NOW)
    assert clean(list(cells.values()))
    assert clean([cell for line in overview.lines(source, CLOCK, 60) for cell in line])
    for run in runs.keys(source):
        assert clean(list(runs.cells(source, run, CLOCK).values()))
        assert all(harmless(value) for _, value, _ in runs.details(source, run, CLOCK))
    assert clean([cell for line in yamltext.lines(source) for cell in line])
    assert parse("n !message:zzz").matches(row)


@given(anything)
@settings(max_examples=80)
def test_any_event_is_drawn(event: Any) -> None:
    found = event if isinstance(event, dict) else {"message": event}
    assert clean(list(events.cells(found, CLOCK).values()))
    assert all(harmless(value) for _, value in events.details(found, CLOCK))


def source(status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "u1", "name": "orders", "namespace": "shop", "resourceVersion": "7"}, "spec": spec, "status": status or {}}


@pytest.mark.parametrize(
    ("manifest", "state", "message"),
    [
        (source(ready()), State.READY, "1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s"),
        (source(ready(quarantined=3)), State.QUARANTINED, "1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s"),
        (source(failed()), State.FAILED, "Unavailable: 503 from https://api.example/v1/orders"),
        (source(failed(conditions=[condition("Stalled", "True", "AuthFailed", "401")])), State.STALLED, "AuthFailed: 401"),
        (source(running()), State.RUNNING, "1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s"),
        (source(running(), suspend=True), State.RUNNING, "1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s"),
        (source(failed(), suspend=True, suspendReason="why"), State.SUSPENDED, "why"),
        (source(failed(), suspend=True), State.SUSPENDED, "nothing runs until it is resumed"),
        (source(ready(conditions=[condition("Syncing", "False", "WaitingForSlot", "Due.")])), State.WAITING, "Due."),
        (source({"conditions": [condition("Ready", "Unknown", "NeverRan", "not yet")]}), State.NEW, "not yet"),
        (source(), State.UNSEEN, "no operator has looked at it yet"),
    ],
)
def test_the_one_word_and_why(manifest: dict[str, Any], state: State, message: str) -> None:
    row = project(manifest)
    assert row is not None
    assert (row.state, row.message) == (state, message)


def test_what_is_being_deleted() -> None:
    manifest = source(running())
    manifest["metadata"]["deletionTimestamp"] = ago(1)
    row = project(manifest)
    assert row is not None
    assert row.state is State.DELETING


@pytest.mark.parametrize("metadata", [None, {}, {"name": "x"}, {"uid": "u"}, {"uid": 5, "name": "x"}])
def test_what_is_no_object_has_no_row(metadata: Any) -> None:
    assert project({"metadata": metadata}) is None


def test_the_earlier_of_run_and_retry_is_next() -> None:
    row = project(source(failed()))
    assert row is not None
    assert row.next == NOW + 150


@pytest.mark.parametrize("width", range(20, 161, 7))
def test_columns_fit_every_width_from_forty_on(width: int) -> None:
    for names in (columns.Extent(8, 0), columns.Extent(32, 20)):
        chosen = columns.layout(width, names)
        assert [one for one in ("mark", "name", "status", "last", "message") if one not in [column.id for column in chosen]] == []
        taken = sum(column.width for column in chosen) + columns.GAP * (len(chosen) - 1)
        assert taken <= width or width < 48
    assert "rows" in [column.id for column in columns.layout(120, columns.Extent(20, 12))]


def test_details_tell_the_whole_message() -> None:
    message = "a very long message " * 40
    manifest = source(failed(message=message, history=[entry("1", result="Failed", message=message)]))
    told = {label: value for label, value, _ in runs.details(manifest, "1", CLOCK)}
    assert told["Message"] == message.strip()
    page = overview.lines(manifest, CLOCK, 80)
    assert max(sum(width_of(cell.text) for cell in line) for line in page) <= 80
    assert " ".join(cell.text for line in page for cell in line).split().count("message") == 40


def test_partitions_billed_documents_and_other_kinds_of_sources() -> None:
    run = {"id": "0mw1", "read": 7, "partitions": {"total": 21, "succeeded": 20, "failed": 1}, "documentReads": 1234}
    manifest = source(ready(source="firestore: projects/shop/databases/(default)", lastRun=run))
    manifest["spec"] = {**manifest["spec"], "source": {"firestore": {"project": "shop"}}, "incremental": {"cursor": "at"}}
    told = {fact.label: (fact.value, fact.tone) for fact in overview.facts(manifest, CLOCK)}
    assert told["Partitions"] == ("20 of 21 succeeded, 1 failed", "bad")
    assert told["Billed"] == ("1,234 documents", "")
    assert told["Source"] == ("firestore: projects/shop/databases/(default)", "")
    assert told["Incremental"] == ("by at", "")
    row = project(manifest)
    assert row is not None
    assert row.source == "firestore: projects/shop/databases/(default)"


def test_how_accurate_the_table_was_when_and_what_became_of_the_last_attempt() -> None:
    def told(**verification: Any) -> list[tuple[str, str, str]]:
        page = [(fact.label, fact.value, fact.tone) for fact in overview.facts(source(ready(verification=verification)), CLOCK)]
        start = page.index(("Verification", "", ""))
        return page[start + 1 : page.index(("What goes where", "", ""))]

    found = {"time": ago(240), "accuracy": "99.9991", "cells": 120_000, "rows": 30_000, "missing": 0, "different": 1, "extra": 12}
    assert told(schedule="every 1d", nextTime=ago(-600), result="Succeeded", **found) == [
        ("Accuracy", "99.9991 % of 120,000 cells", "warn"),
        ("Counts", "30,000 rows, 1 different, 12 extra", ""),
        ("Found", "4m ago (2026-11-21 11:56:00)", ""),
        ("Next", "in 10m (2026-11-21 12:10:00)", ""),
    ]
    exact = {"time": ago(240), "accuracy": "100.0000", "cells": 400, "rows": 100, "sample": 100}
    assert told(result="Failed", reason="Timeout", message="no answer in 30s", **exact) == [
        ("Accuracy", "100.0000 % of 400 cells of the first 100 records of each partition", ""),
        ("Counts", "100 rows", ""),
        ("Found", "4m ago (2026-11-21 11:56:00)", ""),
        ("Failed", "Timeout: no answer in 30s", "bad"),
    ]
    assert told(time=ago(240), result="Succeeded")[0] == ("Accuracy", "nothing to compare", "")
    assert "Verification" not in [fact.label for fact in overview.facts(source(ready()), CLOCK)]
