"""Whatever is wrong with a page: the run says so, nothing of it is written, the cursor stays, and after the upstream
has recovered the table holds exactly its rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from syncsource.engine.plan import Outcome
from tests.reading.matrix import Case, cases, passing
from tests.reading.stage import SINCE, Play, Theatre
from tests.upstream import KINDS, Asked, Kind, Reply, Upstream, serving
from tests.upstream.faults import HARMLESS, Around, Fault

CASES = cases()


@pytest.fixture(scope="module")
def foreign() -> Iterator[Upstream]:
    """Another host."""
    with serving(lambda asked: Reply([])) as foreign:
        yield foreign


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_page_that_is_spoilt(case: Case, stage: Theatre, foreign: Upstream) -> None:
    play = stage.begun(case.kind)
    before = play.table.state()
    _spoil(play, case, foreign)
    _is_told(case.fault, play, play.run(**case.fault.http))
    assert play.table.state() == before
    assert foreign.asked == []
    _recovers(play)


@pytest.mark.soak
@pytest.mark.parametrize("case", passing(CASES), ids=str)
def test_a_fault_that_passes_costs_one_more_try(case: Case, stage: Theatre, foreign: Upstream) -> None:
    play = stage.begun(case.kind)
    _spoil(play, case, foreign, times=1)
    outcome = play.run(**{**case.fault.http, "retry": {"attempts": 2, "backoff": "1ms"}})
    assert (outcome.result, outcome.message) == ("Succeeded", "")
    _is_complete(play)


@pytest.mark.parametrize(("name", "kind"), list(zip(HARMLESS, KINDS, strict=False)), ids=str)
def test_what_lies_about_its_type_and_is_whole_is_read(name: str, kind: Kind, stage: Theatre, foreign: Upstream) -> None:
    play = stage.begun(kind)
    around = Around(foreign.url, play.upstream.over, lambda number: Reply())
    play.collection.spoil = lambda number, honest, asked: HARMLESS[name](honest, asked, around)
    assert play.run().result == "Succeeded"
    _is_complete(play)


def test_there_are_at_least_200_cases() -> None:
    assert len(set(map(str, CASES))) >= 200


def _spoil(play: Play, case: Case, foreign: Upstream, times: int = 99) -> None:
    around = Around(foreign.url, play.upstream.over, lambda number: sent[number])
    sent: dict[int, Reply] = {}
    struck: list[int] = []

    def spoil(number: int, honest: Reply, asked: Asked) -> Reply:
        sent[number] = honest
        if number != case.page or len(struck) == times:
            return honest
        struck.append(number)
        return case.fault.strike(honest, asked, around)

    play.collection.spoil = spoil


def _is_told(fault: Fault, play: Play, outcome: Outcome) -> None:
    """The result, why, what follows, and which page it was."""
    assert (outcome.result, outcome.reason, outcome.next.value, outcome.retry_after) == ("Failed", fault.reason, fault.next, fault.after)
    assert fault.says in outcome.message
    asked = play.collection.asked[-1]
    assert f"{asked.method} {play.upstream.url}{asked.raw}" in outcome.message


def _recovers(play: Play) -> None:
    play.collection.spoil = None
    outcome = play.run()
    assert (outcome.result, outcome.message) == ("Succeeded", "")
    _is_complete(play)


def _is_complete(play: Play) -> None:
    assert play.table.rows() == play.wanted()
    assert play.table.cursor() == SINCE[-1]["changed"]
    assert play.table.quarantined() == []
