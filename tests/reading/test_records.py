"""One record of a page is bent: it is kept aside with its reason or written digit for digit, and the others are written."""

from __future__ import annotations

import pytest

from tests.reading.stage import SINCE, Play, Theatre
from tests.upstream import KINDS, Kind
from tests.upstream.bends import BENDS, Bend

PAGED = [kind for kind in KINDS if kind.pages]
CASES = [(bend, PAGED[number % len(PAGED)]) for number, bend in enumerate(BENDS)]
PAGE, NUMBER = 3, 6
"""The page that is spoilt, and the record that stands first on it."""


@pytest.mark.parametrize(("bend", "kind"), CASES, ids=[f"{kind.name}-{bend}" for bend, kind in CASES])
def test_a_record_that_is_bent(bend: Bend, kind: Kind, stage: Theatre) -> None:
    play = stage.begun(kind)
    _spoil(play, bend)
    outcome = play.run()
    assert (outcome.result, outcome.reason) == ("Succeeded", "RecordsQuarantined" if bend.reason else "")
    assert play.table.cursor() == SINCE[-1]["changed"]
    assert play.table.quarantined() == ([(bend.reason, None if bend.whole else bend.field)] if bend.reason else [])
    bent = [] if bend.reason else [{**SINCE[3], bend.field: bend.stored}]
    play.collection.records = [one for one in play.collection.records if one["id"] != NUMBER] + bent
    assert play.table.rows() == play.wanted()


@pytest.mark.parametrize("bend", [bend for bend in BENDS if bend.reason][::5], ids=str)
def test_a_record_that_was_put_right_arrives(bend: Bend, stage: Theatre) -> None:
    play = stage.begun(KINDS[0])
    _spoil(play, bend)
    assert play.run().counts.quarantined == 1
    play.collection.spoil = None
    assert play.run(full=True).result == "Succeeded"
    assert (play.table.rows(), play.table.quarantined()) == (play.wanted(), [])


def _spoil(play: Play, bend: Bend) -> None:
    play.collection.spoil = lambda number, honest, asked: bend.strike(honest) if number == PAGE else honest
