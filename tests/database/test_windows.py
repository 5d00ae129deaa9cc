"""A long history is read window by window, each committed on its own with the cursor at its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncsource import ledger
from syncsource.engine.executing import settle
from syncsource.engine.plan import Next
from syncsource.engine.stopping import Stop
from syncsource.errors import RetryableError
from syncsource.records.cursors import meaning
from syncsource.sources.base import Page, Slice
from tests.database.conftest import Place
from tests.database.engine import IDENTITY, Engine
from tests.database.model import Record

CREATE = "CREATE TABLE t (id integer PRIMARY KEY, name text, amount integer, changed varchar(40), note text)"
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW - timedelta(days=35)


def text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def day(number: float) -> str:
    """So many days after the history's start."""
    return text(START + timedelta(days=number))


class History:
    """An upstream that answers with the records of the window. ``meanwhile`` is called with each window's number, counted from 1."""

    def __init__(self, records: list[Record], served_at: datetime | None = None) -> None:
        self.records, self._served_at = records, served_at
        self.asked: list[tuple[str | None, str | None]] = []
        self.meanwhile: Callable[[int], None] = lambda number: None
        self.state: str | None = None
        self.unchanged, self.billed = False, 0
        self.known: Sequence[str] = ()
        self.waits = True

    def pages(self, part: Slice) -> Iterator[Page]:
        """In one page."""
        self.asked.append((part.since, part.until))
        yield Page([dict(one) for one in self.records if self._within(one, part)], self._served_at)
        self.meanwhile(len(self.asked))

    def _within(self, record: Record, part: Slice) -> bool:
        here = meaning(record["changed"])
        return (part.since is None or here >= meaning(part.since)) and (part.until is None or here < meaning(part.until))

    def close(self) -> None:
        """Nothing to give back."""


def windowed(place: Place, **more: Any) -> Engine:
    place.sql(CREATE)
    kinds = {"id": "integer", "name": "text", "amount": "integer", "changed": "text"}
    incremental = {"cursor": "changed", "param": "since", "window": {"size": "10d", "start": day(0)}, **more.pop("incremental", {})}
    return Engine(place, "t", incremental=incremental, fields=[{"name": name, "type": kind} for name, kind in kinds.items()], **more)


def records(*days: float) -> list[Record]:
    return [{"id": number, "name": "a", "amount": 1, "changed": day(when)} for number, when in enumerate(days)]


def breaks_at(number: int) -> Callable[[int], None]:
    def meanwhile(window: int) -> None:
        if window == number:
            raise RetryableError("the upstream broke off", reason="ConnectionLost")

    return meanwhile


def cursor(engine: Engine) -> str | None:
    kept = engine.kept()
    return kept.text if kept else None


def test_window_by_window_to_the_run_s_start(place: Place) -> None:
    engine, history = windowed(place), History(records(1, 2, 11, 31, 34))
    outcome = engine.run(history)
    assert (outcome.result, outcome.counts.inserted, outcome.full) == ("Succeeded", 5, True)
    ends = [until for _, until in history.asked]
    assert history.asked[:3] == [(day(0), day(10)), (day(10), day(20)), (day(20), day(30))]
    assert (len(ends), history.asked[3][0]) == (4, day(30))
    assert NOW <= datetime.fromisoformat(ends[3] or "") <= datetime.now(UTC)
    assert cursor(engine) == outcome.cursor == day(34)
    again = engine.run(history)
    assert (again.counts.read, again.counts.unchanged, again.full) == (1, 1, False)
    assert history.asked[4][0] == day(34)


def test_cursor_moved_before_the_window_was_complete(place: Place) -> None:
    """It moves only after every page of the window: a failed page leaves it where it was, and the next run goes on from there."""
    engine, history = windowed(place), History(records(1, 11, 21, 31))
    history.meanwhile = breaks_at(3)
    plan = engine.plan()
    outcome = engine.execute(plan, history)
    assert (outcome.result, outcome.next, outcome.reason) == ("Failed", Next.RETRY, "ConnectionLost")
    assert outcome.message == "the upstream broke off; 2 windows before it committed"
    assert (outcome.counts.inserted, outcome.cursor, cursor(engine)) == (2, day(20), day(20))
    assert sorted(row[0] for row in place.sql("SELECT id FROM t")) == [0, 1]
    [run] = ledger.history(place.database.engine, f"{IDENTITY}/t")
    assert (run.result, run.inserted, run.cursor_after) == ("Failed", 2, day(20))
    assert settle(plan).counts == outcome.counts
    history.meanwhile = lambda number: None
    history.asked.clear()
    after = engine.run(history)
    assert [since for since, _ in history.asked] == [day(20), day(30)]
    assert (after.counts.inserted, after.counts.read, cursor(engine)) == (2, 2, day(31))


def test_a_late_row_with_a_cursor_equal_to_the_last_one(place: Place) -> None:
    """At a young window's edge, too: the cursor stands at what was seen, and the next run reads from there, itself included."""
    engine, history = windowed(place), History(records(10, 20))
    engine.run(history)
    history.records += [{"id": 7, "name": "late", "amount": 1, "changed": day(20)}]
    outcome = engine.run(history)
    assert (outcome.counts.inserted, outcome.counts.unchanged, history.asked[-2][0]) == (1, 1, day(20))


def test_a_silent_source_is_not_asked_for_its_whole_history_again(place: Place) -> None:
    engine, history = windowed(place), History([])
    engine.run(history)
    assert cursor(engine) == day(20)
    assert engine.run(history).counts.read == 0
    assert [since for since, _ in history.asked[4:]] == [day(20), day(30)]


def test_cursor_later_than_the_run_s_start_by_the_upstream_s_clock(place: Place) -> None:
    """Its clock is twenty days behind: windows that end after its now are read, but not passed by."""
    engine, history = windowed(place), History(records(1, 33), served_at=START + timedelta(days=15))
    outcome = engine.run(history)
    assert (outcome.counts.inserted, cursor(engine)) == (2, day(15))
    engine.run(history)
    assert history.asked[4][0] == day(15)


def test_lookback_reads_again_without_taking_the_cursor_back(place: Place) -> None:
    engine, history = windowed(place, incremental={"lookback": "25d"}), History(records(1, 32))
    engine.run(history)
    history.meanwhile = breaks_at(6)
    outcome = engine.run(history)
    assert history.asked[4:6] == [(day(7), day(17)), (day(17), day(27))]
    assert (outcome.result, cursor(engine)) == ("Failed", day(32))


def test_a_full_run_begins_with_the_history(place: Place) -> None:
    engine, history = windowed(place), History(records(1, 32))
    engine.run(history)
    history.records = records(1, 31)
    outcome = engine.run(history, full=True)
    assert (history.asked[4], outcome.full, cursor(engine)) == ((day(0), day(10)), True, day(31))


def test_another_start_reads_from_there_and_another_size_goes_on(place: Place) -> None:
    engine, history = windowed(place), History(records(1, 32))
    engine.run(history)
    for window, since in (({"size": "20d", "start": day(0)}, day(32)), ({"size": "20d", "start": day(-1)}, day(-1))):
        history.asked.clear()
        other = Engine(place, "t", **{**engine.spec, "incremental": {"cursor": "changed", "param": "since", "window": window}})
        other.run(history)
        assert history.asked[0][0] == since


def test_quarantine_of_earlier_windows_is_kept_by_a_full_read(place: Place) -> None:
    """What is mended is forgotten at the last window's end, whichever window it was in."""
    engine, history = windowed(place, validation={"maxInvalid": 2}), History(records(1, 11, 32))
    history.records[0]["amount"] = history.records[1]["amount"] = "lots"
    outcome = engine.run(history)
    assert (outcome.reason, outcome.counts.quarantined, outcome.quarantined_total) == ("RecordsQuarantined", 2, 2)
    assert outcome.message == "quarantined: 2 InvalidValue (amount)"
    history.records[1]["amount"] = 5
    assert engine.run(history, full=True).quarantined_total == engine.quarantined() == 1


def test_limits_count_all_windows(place: Place) -> None:
    engine, history = windowed(place, validation={"maxInvalid": 1}), History(records(1, 11, 32))
    history.records[0]["amount"] = history.records[1]["amount"] = "lots"
    outcome = engine.run(history)
    assert (outcome.reason, outcome.counts.quarantined, cursor(engine)) == ("TooManyInvalid", 1, day(10))


def test_a_cancelled_run_keeps_its_windows(place: Place) -> None:
    engine, history, stop = windowed(place), History(records(1, 11)), Stop()
    history.meanwhile = lambda number: stop() if number == 2 else None
    outcome = engine.run(history, stop=stop)
    assert (outcome.result, outcome.reason) == ("Interrupted", "Cancelled")
    assert (outcome.message, cursor(engine)) == ("the run was cancelled; 1 window before it committed", day(10))


def test_cursors_that_are_no_instants_never_stand_for_a_window(place: Place) -> None:
    engine, history = windowed(place), History([])
    history.pages = lambda part: iter([Page([{"id": 1, "name": "a", "amount": 1, "changed": 17}])])  # type: ignore[method-assign]
    assert engine.run(history).result == "Succeeded"
    assert cursor(engine) == day(20)


def test_windows_of_partitions(place: Place) -> None:
    engine, history = windowed(place, partitions={"values": ["a", "b"]}), History(records(1, 32))
    history.meanwhile = breaks_at(7)
    outcome = engine.run(lambda: history)
    assert outcome.message == "1/2 partitions, 2 new, 1 unchanged, 1 error: b: ConnectionLost: the upstream broke off"
    assert [one.text if (one := engine.kept(value)) else None for value in "ab"] == [day(32), day(20)]


@pytest.mark.parametrize("text", ["2026-02-30", "2026-01-01T25:00:00Z", "17", "2026-01-01T00:00:00 Z"])
def test_a_start_that_is_no_instant_is_refused(text: str) -> None:
    from syncsource.resource.incremental import Window

    with pytest.raises(ValueError, match="start"):
        Window.model_validate({"size": "1d", "start": text})
