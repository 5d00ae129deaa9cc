"""Rate limits: at most so many requests in any window."""

from __future__ import annotations

import threading
from datetime import timedelta

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.engine.plan import RunPlan
from syncsource.resource.parts import RateLimit
from syncsource.resource.source import Source as SourceSpec
from syncsource.runner.limits import declare
from syncsource.schedule.rate import RateWindow
from syncsource.sources import HostTable
from syncsource.sources.hosts.messages import Enter, Go, Later

ENTER = Enter(host="h", port=80, patience=0.0, lease=1.0)
LIMITS = st.tuples(st.integers(1, 5), st.integers(1, 20))


def wait(table: HostTable, host: str) -> float:
    answer = table.ask(Enter(host=host, port=80, patience=0.0, lease=1.0))
    assert isinstance(answer, Go)
    return answer.wait


def kept(moments: list[int], requests: int, per: int) -> bool:
    return all(later - earlier >= per for earlier, later in zip(moments, moments[requests:], strict=False))


def test_a_window_lets_a_burst_go_and_then_waits() -> None:
    window = RateWindow(2, timedelta(seconds=10))
    assert [window.reserve(now) for now in (100.0, 101.0, 102.0, 102.0, 130.0)] == [0.0, 0.0, 8.0, 9.0, 0.0]


def test_to_look_reserves_nothing() -> None:
    window = RateWindow(1, timedelta(seconds=10))
    assert [window.wait(5.0), window.wait(5.0), window.reserve(5.0), window.wait(6.0)] == [0.0, 0.0, 0.0, 9.0]


@pytest.mark.parametrize(("requests", "per"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_a_window_of_nothing(requests: int, per: int) -> None:
    with pytest.raises(ValueError, match="a rate limit needs at least one request in a positive span"):
        RateWindow(requests, timedelta(seconds=per))


@settings(deadline=None)
@given(LIMITS, st.lists(st.integers(0, 5), max_size=60))
def test_no_window_has_more_and_none_waits_for_nothing(limit: tuple[int, int], pauses: list[int]) -> None:
    requests, per = limit
    window, now, moments = RateWindow(requests, timedelta(seconds=per)), 0, []
    for pause in pauses:
        now += pause
        earliest = max([now, *moments[-1:], *([moments[-requests] + per] if len(moments) >= requests else [])])
        moments.append(now + int(window.reserve(now)))
        assert moments[-1] == earliest
    assert kept(moments, requests, per)


@settings(deadline=None)
@given(st.lists(LIMITS, min_size=1, max_size=3), st.lists(st.integers(0, 5), max_size=60))
def test_all_limits_of_a_host_hold(limits: list[tuple[int, int]], pauses: list[int]) -> None:
    now = 0.0
    table = HostTable(lambda: now)
    for place, (requests, per) in enumerate(limits):
        table.declare(str(place), {"h": RateLimit(requests=requests, per=timedelta(seconds=per))})
    moments: list[int] = []
    for pause in pauses:
        now += pause
        while isinstance(answer := table.ask(ENTER), Later):
            now += answer.wait
        assert isinstance(answer, Go)
        moments.append(int(now + answer.wait))
    assert all(kept(moments, requests, per) for requests, per in limits)


def test_hosts_do_not_share_and_a_limit_counts_once() -> None:
    table, limit = HostTable(lambda: 0.0), RateLimit(requests=2, per=timedelta(seconds=1))
    table.declare("one", {"a": limit})
    table.declare("two", {"a": RateLimit(requests=2, per=timedelta(seconds=1))})
    assert [wait(table, host) for host in "aaabb"] == [0.0, 0.0, 1.0, 0.0, 0.0]


def test_a_limit_that_was_changed_or_taken_back_holds_no_more() -> None:
    slow, fast = (RateLimit(requests=1, per=timedelta(seconds=seconds)) for seconds in (30, 10))
    table = HostTable(lambda: 0.0)
    table.declare("one", {"h": slow})
    table.declare("two", {"h": slow})
    table.declare("one", {"h": fast})
    assert [wait(table, "h") for _ in range(2)] == [0.0, 30.0]  # two still wants it slow
    table.declare("two", {})
    assert wait(table, "h") == 40.0  # ten seconds after the last one that went
    table.declare("one", {})
    assert wait(table, "h") == 0.0


def test_runs_that_end_before_their_turn_keep_no_places_far_ahead() -> None:
    now = 0.0
    table = HostTable(lambda: now)
    table.declare("a", {"h": RateLimit(requests=1, per=timedelta(hours=1))})
    assert wait(table, "h") == 0.0
    for _ in range(10):  # each of these is told to come again, and never does
        assert table.ask(ENTER) == Later(wait=60.0)
    now = 3599.0
    assert table.ask(ENTER) == Go(wait=1.0)


def test_threads_share() -> None:
    table, waits = HostTable(lambda: 0.0), []
    table.declare("a", {"h": RateLimit(requests=1, per=timedelta(seconds=0.25))})
    threads = [threading.Thread(target=lambda: waits.extend(wait(table, "h") for _ in range(50))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [number / 4 for number in range(200)]


def test_a_host_without_limits_waits_for_nothing() -> None:
    assert wait(HostTable(), "h") == 0.0


def test_the_host_of_a_source() -> None:
    source = {"http": {"baseURL": "https://API.example:8443/v1", "rateLimit": {"requests": 2, "per": "1s"}}}
    assert SourceSpec.model_validate(source).chosen.limits == {"api.example": RateLimit.model_validate(source["http"]["rateLimit"])}


@pytest.mark.parametrize(
    "url",
    [
        "https://xn--bcher-kva.example/v1",
        "https://B\u00fccher.example",
        "https://API.example",
        "http://[::1]:8080",
        "https://xn--a.example",
    ],
)
def test_the_limit_of_a_host_is_found_however_its_name_is_written(url: str) -> None:
    database = {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}}
    source = {"http": {"baseURL": url, "rateLimit": {"requests": 1, "per": "30s"}}}
    spec = {"source": source, "fields": [{"name": "id", "type": "text"}], "keys": [{"fields": ["id"]}], "destination": database}
    table = HostTable(lambda: 0.0)
    declare(table, RunPlan(run="r", identity="i", trigger="Request", spec=spec, secrets={}))
    host = httpx.URL(url).host if "xn--a." not in url else "xn--a.example"
    assert [wait(table, host) for _ in range(2)] == [0.0, 30.0]
