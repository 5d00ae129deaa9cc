"""NDJSON that goes wrong: the faults of any answer, and those of lines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.reading.stage import SINCE, Theatre
from tests.upstream import NDJSON, Reply
from tests.upstream.faults import FAULTS, RETRY, Around, Fault, body

OF_JSON = (
    "two-bodies",
    "empty-body",
    "no-content",
    "invalid-utf-8",
    "not-a-number",
    "infinity",
    "nested-bomb",
    "error-with-200",
    "records-are-a-text",
    "null",
    "repeated-page",
    "error-beside-records",
    "error-that-passes",
    "compressed-bomb",
    "page-of-100-mb",
    "utf-16",
    "length-too-short",
    "truncated-json",
)
"""What is wrong with a list in a body is another thing, or nothing, in lines."""
CUT = Fault("cut-in-a-line", lambda reply, asked, around: replace(reply, body=body(reply)[:-9]), "ConnectionLost", RETRY, "is cut")


@pytest.mark.parametrize("fault", [fault for fault in [*FAULTS, CUT] if fault.name not in OF_JSON], ids=lambda fault: fault.name)
def test_lines_that_are_spoilt(fault: Fault, stage: Theatre) -> None:
    play = stage.begun(NDJSON)
    before = play.table.state()
    around = Around("http://127.0.0.1:9", play.upstream.over, lambda number: Reply())
    play.collection.spoil = lambda number, honest, asked: fault.strike(honest, asked, around)
    outcome = play.run(**fault.http)
    assert (outcome.result, outcome.reason, outcome.next.value) == ("Failed", fault.reason, fault.next), outcome.message
    assert play.table.state() == before
    play.collection.spoil = None
    assert play.run().result == "Succeeded"
    assert (play.table.rows(), play.table.cursor()) == (play.wanted(), SINCE[-1]["changed"])


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "NotJSON"),
        (b'{"id": NaN}', "NotJSON"),
        (b'{"name": "\xff"}', "NotJSON"),
        (b"[1]", "NotAnObject"),
        (b'{"id": 1, "id": 2}', "DuplicateKeys"),
    ],
    ids=str,
)
def test_a_line_that_is_no_record_is_kept_aside(line: bytes, reason: str, stage: Theatre) -> None:
    play = stage.begun(NDJSON)

    def put(number: int, honest: Reply, asked: Any) -> Reply:
        first, rest = body(honest).split(b"\n", 1)
        return Reply(first + b"\n" + line + b"\n" + rest, headers=honest.headers)

    play.collection.spoil = put
    outcome = play.run()
    assert (outcome.result, outcome.counts.quarantined) == ("Succeeded", 1)
    assert play.table.sql("SELECT reason, place, position FROM syncsource_quarantine") == [(reason, "page 1", 2)]
    assert play.table.rows() == play.wanted()
