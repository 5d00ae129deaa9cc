"""What runs share about hosts: pauses, circuit breakers, tokens."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syncsource.errors import RetryableError
from syncsource.sources import HostTable, Slice, local_hosts
from syncsource.sources.hosts import messages
from syncsource.sources.hosts.breaker import FAILURES, LONGEST, SHORTEST
from syncsource.sources.hosts.messages import (
    Answered,
    Enter,
    Failed,
    Fetch,
    Go,
    Later,
    Paused,
    Refused,
    TokenIs,
    TokenKept,
    TokenMissed,
    WantToken,
)
from syncsource.sources.rest.quotas import pause
from tests.upstream import Asked, Reply, in_turn, listening

HOST: dict[str, Any] = {"host": "h", "port": 443}


class World:
    """A table on a clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.table = HostTable(lambda: self.now)

    def enter(self, patience: float = 60.0, lease: float = 30.0, **place: Any) -> Any:
        return self.table.ask(Enter(**{**HOST, **place}, patience=patience, lease=lease))

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.table.tell(Failed(**HOST, reason="Timeout"))


@pytest.fixture
def world() -> World:
    return World()


def test_a_breaker_opens_after_failures_in_a_row_and_lets_one_probe_through(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.fail(FAILURES - 1)
    assert world.enter() == Go(report=True)
    world.fail()
    assert world.enter() == Refused(reason="CircuitOpen", after=SHORTEST, failures=FAILURES, last="Timeout")
    assert world.enter(port=80) == Go()
    world.now += SHORTEST
    assert world.enter() == Go(report=True)
    assert world.enter() == Refused(reason="CircuitOpen", after=30.0, failures=FAILURES, last="Timeout")
    world.table.tell(Answered(**HOST))
    assert world.enter() == Go()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert [record.getMessage().partition(" ")[2][:8] for record in caplog.records] == ["failed 1", "answers "]


def test_a_breaker_stays_open_twice_as_long_each_time_and_says_so_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.fail(FAILURES)
    waits = []
    for _ in range(9):
        waits.append(world.enter().after)
        world.now += waits[-1]
        assert world.enter() == Go(report=True)
        world.fail()
    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, LONGEST, LONGEST, LONGEST]
    assert len(caplog.records) == 1


def test_a_probe_that_never_ends_is_followed_by_another(world: World) -> None:
    world.fail(FAILURES)
    world.now += SHORTEST
    world.enter(lease=7.0)
    world.now += 6.0
    assert world.enter().after == pytest.approx(1.0)
    world.now += 1.0
    assert world.enter() == Go(report=True)


def test_requests_under_way_when_it_opened_do_not_count_again(world: World) -> None:
    world.fail(FAILURES + 20)
    assert world.enter().after == SHORTEST


def test_an_answer_in_between_begins_the_count_anew(world: World) -> None:
    for _ in range(5):
        world.fail(FAILURES - 1)
        world.table.tell(Answered(**HOST))
    assert world.enter() == Go()


def test_a_pause_is_sat_out_or_ends_the_run(world: World) -> None:
    world.table.tell(Paused(**HOST, seconds=50))
    world.table.tell(Paused(**HOST, seconds=20))
    assert world.enter() == Later(wait=50.0)
    assert world.enter(patience=10.0) == Refused(reason="RateLimited", after=50.0)
    assert world.enter(host="other") == Go()
    world.now += 50
    assert world.enter() == Go()


def test_a_pause_of_years_is_not_believed(world: World) -> None:
    world.table.tell(Paused(**HOST, seconds=1e12))
    assert world.enter().after == 3_600.0


def test_tokens_are_leased_kept_and_given_up_before_their_end(world: World) -> None:
    want = WantToken(key="k", lease=5.0)
    assert world.table.ask(want) == Fetch()
    assert isinstance(world.table.ask(want), Later)
    world.table.tell(TokenMissed(key="k"))
    assert world.table.ask(want) == Fetch()
    world.now += 5.0
    assert world.table.ask(want) == Fetch()
    world.table.tell(TokenKept(key="k", text="t", seconds=3600, refresh="r"))
    assert world.table.ask(want) == TokenIs(text="t", seconds=3540)
    world.now += 3540
    assert world.table.ask(want) == Fetch(refresh="r")


def test_many_tokens_do_not_pile_up(world: World) -> None:
    for number in range(3000):
        world.table.tell(TokenKept(key=str(number), text="t", seconds=1))
        world.now += 1
    assert len(world.table._tokens._kept) <= 1001


def test_no_message_shows_a_token() -> None:
    shown = [
        repr(message)
        for message in (
            TokenIs(text="t0k", seconds=1),
            TokenKept(key="k", text="t0k", seconds=1, refresh="t0k"),
            Fetch(refresh="t0k"),
            messages.TokenRefused(key="k", text="t0k"),
        )
    ]
    assert "t0k" not in "".join(shown)


def test_messages_cross_a_process_border() -> None:
    all_of = [
        Enter(**HOST, patience=1, lease=2),
        Go(wait=1.5, report=True),
        Refused(reason="CircuitOpen", after=1),
        TokenKept(key="k", text="t", seconds=1),
    ]
    kinds = messages.Question | messages.Answer | messages.Note
    assert [msgspec.json.decode(msgspec.json.encode(one), type=kinds) for one in all_of] == all_of


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(["enter", "fail", "answer", "pause", "tick"]), max_size=60))
def test_whatever_happens_a_host_is_asked_again(happening: list[str]) -> None:
    world = World()
    for one in happening:
        if one == "enter":
            world.enter()
        elif one == "fail":
            world.fail()
        elif one == "answer":
            world.table.tell(Answered(**HOST))
        elif one == "pause":
            world.table.tell(Paused(**HOST, seconds=5))
        else:
            world.now += 3
    for _ in range(4):
        answer = world.enter()
        if isinstance(answer, Go):
            return
        world.now += answer.wait if isinstance(answer, Later) else answer.after
    pytest.fail(f"never let in: {answer}")


def test_an_upstream_that_fails_opens_the_circuit_for_all_runs(serve: Any, opened: Any, cancelled: threading.Event) -> None:
    table = HostTable()
    upstream = serve(in_turn(*[Reply(status=500)] * FAILURES, Reply([1])))

    def read() -> Any:
        source = opened(upstream.url, hosts=local_hosts(cancelled, table), retry={"attempts": 4, "backoff": "0s"})
        with pytest.raises(RetryableError) as caught:
            list(source.pages(Slice()))
        return caught.value

    assert [read().reason for _ in range(2)] == ["UpstreamUnavailable"] * 2
    last = [read(), read()]
    assert [error.reason for error in last] == ["CircuitOpen"] * 2
    assert len(upstream.asked) == FAILURES
    assert 0 < last[1].after <= SHORTEST
    assert last[1].message.startswith(
        f"127.0.0.1:{upstream.port} failed {FAILURES} times in a row, the last time of UpstreamUnavailable: nothing is sent there for another "
    )


def test_a_host_that_cannot_be_reached_counts_and_one_that_refuses_does_not(opened: Any, serve: Any, cancelled: threading.Event) -> None:
    table = HostTable()
    with listening() as (_, url):
        pass
    upstream = serve(in_turn(Reply(status=404)))
    for address, times in ((url, FAILURES), (upstream.url, FAILURES + 5)):
        for _ in range(times):
            with pytest.raises(Exception, match=r"404|no connection"):
                list(opened(address, hosts=local_hosts(cancelled, table)).pages(Slice()))
    with pytest.raises(RetryableError, match="failed 10 times in a row, the last time of ConnectionFailed"):
        list(opened(url, hosts=local_hosts(cancelled, table)).pages(Slice()))


def test_when_it_answers_again_the_circuit_closes(serve: Any, opened: Any, cancelled: threading.Event) -> None:
    now = 0.0
    table = HostTable(lambda: now)
    upstream = serve(in_turn(*[Reply(status=500)] * FAILURES, Reply([1])))
    for _ in range(FAILURES):
        with pytest.raises(RetryableError, match="answered 500"):
            list(opened(upstream.url, hosts=local_hosts(cancelled, table)).pages(Slice()))
    now = SHORTEST
    for _ in range(2):
        (page,) = opened(upstream.url, hosts=local_hosts(cancelled, table)).pages(Slice())
        assert page.records == [1]


@pytest.mark.parametrize(
    ("status", "headers"),
    [(429, {"Retry-After": "70"}), (503, {"Retry-After": "70"}), (200, {"RateLimit-Remaining": "0", "RateLimit-Reset": "70"})],
)
def test_a_pause_counts_for_all_runs(serve: Any, opened: Any, cancelled: threading.Event, status: int, headers: dict[str, str]) -> None:
    table = HostTable()
    upstream = serve(in_turn(Reply([1], status=status, headers=headers)))
    sources = [opened(upstream.url, hosts=local_hosts(cancelled, table)) for _ in range(2)]
    if status == 200:
        assert len(list(sources[0].pages(Slice()))) == 1
    else:
        with pytest.raises(RetryableError):
            list(sources[0].pages(Slice()))
    with pytest.raises(RetryableError) as caught:
        list(sources[1].pages(Slice()))
    assert (caught.value.reason, len(upstream.asked)) == ("RateLimited", 1)
    assert caught.value.message.startswith(f"127.0.0.1:{upstream.port} asked for a pause, of which ")
    assert 60 < caught.value.after <= 70  # type: ignore[operator]


def test_403_where_no_request_is_left_is_no_matter_of_credentials(serve: Any, failure: Any) -> None:
    upstream = serve(in_turn(Reply(status=403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "70"})))
    error, _ = failure(upstream.url)
    assert (type(error).__name__, error.reason, error.after) == ("RetryableError", "RateLimited", 70.0)


NOW = datetime(2026, 1, 3, 4, 5, 6, tzinfo=UTC)
LATER = NOW + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"ratelimit-remaining": "1", "ratelimit-reset": "90"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "90"}, 90.0),
        ({"ratelimit-remaining": "0"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(LATER.timestamp()))}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(LATER.timestamp() * 1000))}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) - 5)}, 0.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": LATER.isoformat()}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": format_datetime(LATER, usegmt=True)}, 90.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset-after": "1.5"}, 1.5),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": "90"}, 90.0),
        ({"ratelimit": '"default";r=0;t=90'}, 90.0),
        ({"ratelimit": '"default";r=5;t=90'}, None),
        ({"ratelimit": "limit=100, remaining=0, reset=90"}, 90.0),
        ({"ratelimit": "nonsense"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "soon"}, None),
        ({"ratelimit-remaining": "none", "ratelimit-reset": "90"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "-5"}, None),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "9" * 400}, None),
    ],
)
def test_rate_limit_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert pause(200, headers, NOW) == seconds


def test_the_impatience_of_one_source_does_not_close_the_host_to_others(serve: Any, opened: Any, cancelled: threading.Event) -> None:
    table, release = HostTable(), threading.Event()

    def script(asked: Asked) -> Reply:
        if asked.path == "/slow":
            release.wait(10)
        return Reply([1])

    upstream = serve(script)
    hosts = local_hosts(cancelled, table)
    tries = {"attempts": 10, "backoff": "1ms"}
    impatient = opened(upstream.url, hosts=hosts, timeout="20ms", retry=tries, request={"path": "/slow"})
    unproxied = opened(upstream.url, hosts=hosts, retry=tries, proxy={"url": "http://127.0.0.1:1"})
    for source, reason in ((impatient, "Timeout"), (unproxied, "ConnectionFailed")):
        with pytest.raises(RetryableError) as caught:
            list(source.pages(Slice()))
        assert caught.value.reason == reason
    release.set()
    assert len(list(opened(upstream.url, hosts=hosts).pages(Slice()))) == 1


def test_the_other_clock_counts(serve: Any) -> None:
    hour = NOW - timedelta(hours=1)
    headers = {
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(int(hour.timestamp()) + 7),
        "date": format_datetime(hour, usegmt=True),
    }
    assert pause(200, headers, NOW) == 7.0
