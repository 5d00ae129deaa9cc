"""Which partition begins when."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from syncsource.engine.parallel import NotBegun, Slot, Starts, side_by_side
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError


def test_another_is_read_once_one_is_and_only_one() -> None:
    starts, order = Starts("abc", 1, timedelta(0), Stop()), list[str]()
    first, others = Slot(starts), [Slot(starts), Slot(starts)]
    first.take()
    first.take()

    def read(slot: Slot) -> None:
        slot.take()
        order.append("began")
        slot.give_back()

    waiting = [threading.Thread(target=read, args=(slot,), daemon=True) for slot in others]
    for thread in waiting:
        thread.start()
    assert order == []
    first.give_back()
    first.give_back()
    for thread in waiting:
        thread.join(20)
    assert order == ["began"] * 2
    first.take()
    blocked = threading.Thread(target=read, args=(others[0],), daemon=True)
    blocked.start()
    assert len(order) == 2, "two times given back is one slot"
    first.give_back()
    blocked.join(20)
    assert len(order) == 3


def test_partitions_are_handed_out_once_and_before_they_may_be_read() -> None:
    starts = Starts("ab", 1, timedelta(days=1), Stop())
    assert [starts.next(), starts.next(), starts.next()] == ["a", "b", None]


def test_none_begins_after_a_halt_or_a_stop() -> None:
    starts, stop = Starts("ab", 2, timedelta(0), Stop()), Stop()
    assert starts.next() == "a"
    starts.halt()
    assert starts.next() is None
    with pytest.raises(NotBegun):
        Slot(starts).take()
    waited = Starts("ab", 1, timedelta(days=1), stop)
    slot = Slot(waited)
    slot.take()
    slot.give_back()
    stop()
    assert waited.next() is None
    for _ in range(2):  # and no slot is lost by it
        with pytest.raises(NotBegun):
            Slot(waited).take()


def test_an_error_of_one_thread_stops_the_others() -> None:
    stop, first = Stop(), threading.Lock()

    def work() -> None:
        if first.acquire(blocking=False):
            raise AbortedError("overtaken", reason="Fenced")
        assert stop.event.wait(20)
        stop.check()

    with pytest.raises(AbortedError, match="overtaken"):
        side_by_side(3, work, stop)
