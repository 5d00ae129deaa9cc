"""Which partition begins when."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from syncsource.engine.parallel import Starts, side_by_side
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError


def test_another_begins_when_one_is_read_and_once_only() -> None:
    starts, begun = Starts("abc", 1, timedelta(0), Stop()), []
    first = starts.next()
    assert first is not None
    waiting = threading.Thread(target=lambda: begun.append(starts.next()))
    waiting.start()
    assert begun == []
    first.read()
    first.read()
    waiting.join(20)
    assert [one.value for one in begun if one] == ["b"]
    later = threading.Thread(target=lambda: begun.append(starts.next()))
    later.start()
    assert len(begun) == 1
    begun[0].read()
    later.join(20)
    assert [one.value for one in begun if one] == ["b", "c"]


def test_none_begins_after_a_halt_or_a_stop() -> None:
    starts, stop = Starts("ab", 2, timedelta(0), Stop()), Stop()
    assert starts.next() is not None
    starts.halt()
    assert starts.next() is None
    waited = Starts("ab", 2, timedelta(days=1), stop)
    assert waited.next() is not None
    stop()
    assert waited.next() is None


def test_the_last_one_leaves_nobody_waiting() -> None:
    starts = Starts("a", 2, timedelta(days=1), Stop())
    assert starts.next() is not None
    assert starts.next() is None


def test_an_error_of_one_thread_stops_the_others() -> None:
    stop, first = Stop(), threading.Lock()

    def work() -> None:
        if first.acquire(blocking=False):
            raise AbortedError("overtaken", reason="Fenced")
        assert stop.event.wait(20)
        stop.check()

    with pytest.raises(AbortedError, match="overtaken"):
        side_by_side(3, work, stop)
