"""Which partition begins when."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from syncsource.engine.parallel import NotBegun, Slot, Starts, side_by_side
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError


def slots(starts: Starts) -> list[Slot]:
    """Of all partitions."""
    return list(iter(starts.next, None))


def test_another_is_read_once_one_is_and_only_one() -> None:
    starts, order = Starts("abc", 1, timedelta(0), Stop()), list[str]()
    first, second, third = slots(starts)
    assert [one.value for one in (first, second, third)] == ["a", "b", "c"]
    first.take()
    first.take()
    gate = threading.Event()

    def read(slot: Slot) -> None:
        slot.take()
        order.append(slot.value)
        gate.wait(20)
        slot.give_back()

    waiting = [threading.Thread(target=read, args=(slot,), daemon=True) for slot in (third, second)]
    for thread in waiting:
        thread.start()
    assert order == []
    first.give_back()
    first.give_back()
    gate.set()
    for thread in waiting:
        thread.join(20)
    assert order == ["b", "c"], "in their order, whoever asked first"


def test_partitions_are_handed_out_once_and_before_they_may_be_read() -> None:
    assert [slot.value for slot in slots(Starts("ab", 1, timedelta(days=1), Stop()))] == ["a", "b"]


def test_one_that_ends_before_its_turn_keeps_nobody_waiting() -> None:
    first, second, third = slots(Starts("abc", 1, timedelta(0), Stop()))
    second.give_back()
    first.give_back()
    third.take()


def test_none_begins_after_a_halt_or_a_stop() -> None:
    starts, stop = Starts("abc", 2, timedelta(0), Stop()), Stop()
    slot = starts.next()
    assert slot is not None
    starts.halt()
    assert starts.next() is None
    with pytest.raises(NotBegun):
        slot.take()
    first, second = slots(Starts("ab", 1, timedelta(days=1), stop))
    first.take()
    first.give_back()
    stop()
    with pytest.raises(NotBegun):
        second.take()


def test_an_error_of_one_thread_stops_the_others() -> None:
    stop, first = Stop(), threading.Lock()

    def work() -> None:
        if first.acquire(blocking=False):
            raise AbortedError("overtaken", reason="Fenced")
        assert stop.event.wait(20)
        stop.check()

    with pytest.raises(AbortedError, match="overtaken"):
        side_by_side(3, work, stop)
