"""Times, widths, log lines, the connection, plans, requests and the store: each alone."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import Any

import pytest

from syncsource_tui.core import actions, helptext, plans
from syncsource_tui.core.connection import Connection, Phase
from syncsource_tui.core.failures import Away, Forbidden, Missing, Unauthorized, Unusable
from syncsource_tui.core.loglines import Line, LogBuffer, parse
from syncsource_tui.core.plans import Change
from syncsource_tui.core.requests import Request, Step
from syncsource_tui.core.row import Row, project
from syncsource_tui.core.store import Store
from syncsource_tui.core.text import fit, in_ascii, width_of, wrap
from syncsource_tui.core.times import instant, since, span, time_of_day, until
from tests.tui.stage import NOW, entry, ready


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (59.9, "59s"),
        (119, "119s"),
        (120, "2m"),
        (7199, "119m"),
        (7200, "2h"),
        (172800, "2d"),
        (86400 * 55, "55d"),
        (86400 * 56, "8w"),
    ],
)
def test_spans_have_one_number_and_one_unit(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_relative_times() -> None:
    assert (since(None, NOW), since(NOW - 240, NOW)) == ("–", "4m")
    assert [until(then, NOW) for then in (None, NOW + 11, NOW + 0.2, NOW, NOW - 9, NOW - 10, NOW - 200)] == [
        *("–", "in 11s", "in 1s", "now", "now", "10s late", "3m late")
    ]
    assert time_of_day(NOW, timezone(timedelta(hours=7))) == "19:00:00"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-21T12:00:00Z", NOW),
        ("2026-11-21T12:00:00.123456789Z", NOW + 0.123456),
        ("2026-11-21T19:00:00+07:00", NOW),
        ("2026-11-21T12:00:00", NOW),
        ("0001-01-01T00:00:00Z", None),
        ("yesterday", None),
        (7, None),
        ({}, None),
    ],
)
def test_instants(text: Any, seconds: float | None) -> None:
    found = instant(text)
    assert found is None if seconds is None else found == pytest.approx(seconds, abs=1e-5)


@pytest.mark.parametrize("text", ["", "abc", "移行中です", "a移b行", "naïve", "🎉🎉🎉", "e\u0301" * 5])
@pytest.mark.parametrize("width", [0, 1, 2, 3, 5, 9])
def test_fit_is_exact(text: str, width: int) -> None:
    assert width_of(fit(text, width)) == width
    assert width_of(fit(text, width, "right")) == width


def test_wrap_breaks_at_spaces_and_where_it_must() -> None:
    assert wrap("one two three", 7) == ["one two", "three"]
    assert wrap("x" * 10, 4) == ["xxxx", "xxxx", "xx"]
    assert wrap("移行中です", 4) == ["移行", "中で", "す"]
    assert wrap("", 4) == [""]


def test_ascii_keeps_widths() -> None:
    assert in_ascii("✓ ✗ ▸ ‖ … · – ⟩ ● →") == "+ x > = ~ - - > * >"


def test_a_line_of_the_log() -> None:
    line = parse(
        b'{"time":"2026-11-21T12:00:00.5Z","level":"WARNING","logger":"a.b","message":"no\\u001b[2J","source":"x/y","run":"r1","worker":7}'
    )
    assert line == Line(NOW + 0.5, "warning", "no", "x/y", "a.b", (("run", "r1"), ("worker", "7")))
    assert line.tone == "warn"


@pytest.mark.parametrize(
    "text", [b"", b"plain", b"{", b'{"a":1}', b"[1]", b"\xff\xfe", b"{" * 100_000, b'{"message":' + b"[" * 100_000, b"x" * 10**6]
)
def test_what_is_no_line_of_the_log_is_shown_as_it_is(text: bytes) -> None:
    line = parse(text)
    assert (line.level, line.at) == ("", None)
    assert len(line.message) <= 4096


def test_the_log_keeps_the_last_lines_and_chooses_among_them() -> None:
    buffer = LogBuffer("x/y", kept=4)
    for number in range(3):
        buffer.add(Line(None, "info", f"ours {number}", "x/y"))
        buffer.add(Line(None, "info", f"theirs {number}", "x/z"))
    buffer.add(Line(None, "", "Traceback of x/y"))
    assert [line.message for _, line in buffer.shown()] == ["ours 2", "Traceback of x/y"]
    buffer.everything, buffer.needle = True, "THEIRS"
    assert list(buffer.shown()) == [(3, Line(None, "info", "theirs 1", "x/z")), (5, Line(None, "info", "theirs 2", "x/z"))]
    assert buffer.count == 7


def test_waits_double_to_half_a_minute_and_go_on_without_an_end() -> None:
    connection = Connection()
    assert [connection.lost(Away("x"), NOW) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    for _ in range(5000):
        connection.lost(Away("x"), NOW)
    assert connection.retry_at == NOW + 30
    connection.live(NOW)
    assert connection.lost(Away("x"), NOW) == 1


def test_the_states_of_a_connection() -> None:
    connection = Connection()
    connection.listing()
    connection.page(500, 1200, NOW)
    assert connection.label(NOW) == "LOADING 500/1,200"
    connection.live(NOW)
    assert (connection.label(NOW), connection.banner(NOW)) == ("LIVE", ("", ""))
    connection.lost(Away("h:1: refused"), NOW + 3)
    assert (connection.label(NOW + 42), connection.banner(NOW + 3)) == ("STALE 42s", ("no answer: h:1: refused", "retry in 1s"))
    connection.listing()
    assert (connection.phase, connection.banner(NOW + 9)[1]) == (Phase.STALE, "trying again")


@pytest.mark.parametrize(
    ("failure", "label", "told"),
    [
        (Unauthorized("no"), "UNAUTHORIZED", "does not know you (401)"),
        (Forbidden("no", "list x in all namespaces"), "FORBIDDEN", "you may not list x in all namespaces"),
        (Missing("404"), "NOT INSTALLED", "syncsource crds"),
        (Unusable("no file"), "NO KUBECONFIG", "no file; start"),
        (Away("gone"), "NO ANSWER", "no answer: gone"),
    ],
)
def test_each_failure_is_a_state_of_its_own(failure: Any, label: str, told: str) -> None:
    connection = Connection()
    connection.lost(failure, NOW)
    assert connection.label(NOW) == label
    assert told in connection.banner(NOW)[0]


def source(name: str = "orders", version: str = "5", namespace: str = "shop", suspend: bool = False, **status: Any) -> dict[str, Any]:
    metadata = {"uid": f"uid-{name}", "name": name, "namespace": namespace, "resourceVersion": version}
    return {"metadata": metadata, "spec": {"suspend": suspend}, "status": ready(**status)}


def row(name: str = "orders", **more: Any) -> Row:
    found = project(source(name, **more))
    assert found is not None
    return found


def test_the_commands_of_kubectl() -> None:
    rows = [row("a"), row("b", namespace="rental"), row("c")]
    planned = plans.plan(Change.PAUSE, rows, context="my cluster", token="t", reason="ana's move; $HOME")
    assert plans.kubectl(planned) == [
        """kubectl --context 'my cluster' -n rental patch syncsrc b --type merge -p '{"spec":{"suspend":true,"suspendReason":"ana'"'"'s move; $HOME"}}'""",
        """kubectl --context 'my cluster' -n shop patch syncsrc a c --type merge -p '{"spec":{"suspend":true,"suspendReason":"ana'"'"'s move; $HOME"}}'""",
    ]
    full = plans.plan(Change.FULL, rows[:1], context="", token="t1")
    assert plans.kubectl(full) == [
        "kubectl -n shop annotate syncsrc a syncsource.dev/requestedAt=t1 syncsource.dev/fullRefreshAt=t1 --overwrite"
    ]


def test_what_confirms_a_plan() -> None:
    many = [row(f"s{number}") for number in range(11)]
    typed = {
        (change, count): plans.plan(change, many[:count], context="", token="").typed
        for change, count in (
            (Change.TRIGGER, 1),
            (Change.TRIGGER, 10),
            (Change.TRIGGER, 11),
            (Change.PAUSE, 11),
            (Change.FULL, 1),
            (Change.FULL, 2),
        )
    }
    assert list(typed.values()) == ["", "", "11", "11", "s0", "2"]


def test_pausing_leaves_out_what_is_paused_and_resuming_is_for_what_all_is() -> None:
    rows = [row("a"), row("b", suspend=True)]
    assert plans.change_of_pause(rows) is Change.PAUSE
    assert plans.change_of_pause(rows[1:]) is Change.RESUME
    planned = plans.plan(Change.PAUSE, rows, context="", token="")
    assert ([target.name for target in planned.targets], planned.skipped) == (["a"], 1)
    assert "1 more are paused already" in plans.effect(planned)[1]


def test_a_patch_names_its_object() -> None:
    planned = plans.plan(Change.RESUME, [row(suspend=True)], context="", token="")
    assert plans.patch(planned, "uid-1", "7") == {
        "metadata": {"uid": "uid-1", "resourceVersion": "7"},
        "spec": {"suspend": False, "suspendReason": None},
    }


def asked(change: Change = Change.TRIGGER, **before: Any) -> Request:
    planned = plans.plan(change, [row()], context="", token="t1")
    request = Request(planned, planned.targets[0], NOW)
    request.sent(source(**before), {"metadata": {"generation": 2}})
    return request


def test_a_run_so_quick_that_nobody_saw_it_run() -> None:
    request = asked()
    request.see(source(lastHandledRequestAt="t1", history=[entry("new", trigger="Request", message="ok")]), NOW)
    assert (request.step, request.outcome) == (Step.DONE, "Succeeded: ok")


def test_an_older_run_of_a_request_is_not_taken_for_ours() -> None:
    old = entry("old", trigger="Request", message="long ago")
    request = asked(history=[old])
    request.see(source(lastHandledRequestAt="t1", history=[old]), NOW)
    assert request.step is Step.ACCEPTED
    scheduled = {"id": "s1", "trigger": "Schedule", "startedAt": "2026-11-21T12:00:00Z"}
    request.see(source(lastHandledRequestAt="t1", history=[old], currentRun=scheduled), NOW)
    assert request.step is Step.ACCEPTED


def test_a_later_request_took_its_place() -> None:
    request = asked()
    later = source(lastHandledRequestAt="t2")
    later["metadata"]["annotations"] = {"syncsource.dev/requestedAt": "t2"}
    request.see(later, NOW)
    assert (request.step, request.outcome) == (Step.FAILED, "a later request took its place")


def test_pausing_ends_when_the_operator_has_seen_it() -> None:
    request = asked(Change.PAUSE)
    request.see(source(observedGeneration=1), NOW)
    assert request.step is Step.REQUESTED
    request.see(source(observedGeneration=2), NOW)
    assert (request.step, request.outcome) == (Step.FAILED, "somebody changed it again meanwhile")


def test_a_deleted_object_ends_its_request() -> None:
    request = asked()
    request.gone(NOW)
    request.see(source(lastHandledRequestAt="t1"), NOW)
    assert request.outcome == "the SyncSource was deleted"


def test_the_store_tells_what_changed_once() -> None:
    store = Store()
    store.put(source("a"))
    store.put(source("b"))
    assert store.take().added == {"uid-a", "uid-b"}
    store.put(source("a"))
    assert not store.take()
    store.put(source("a", version="6", quarantined=1))
    assert store.take().changed == {"uid-a"}
    store.put(source("a", version="5"))
    assert not store.take()
    store.gone(source("a"))
    store.gone(source("a"))
    assert (store.take().removed, list(store.rows)) == ({"uid-a"}, ["uid-b"])


def test_a_list_forgets_what_it_does_not_name_and_may_go_back_in_time() -> None:
    store = Store()
    store.put(source("a", version="900"))
    store.put(source("b", version="901"))
    store.begin()
    store.put(source("a", version="3", quarantined=2))
    store.end()
    assert ([found.name for found in store.rows.values()], store.rows["uid-a"].quarantined) == (["a"], 2)


def test_whole_objects_are_kept_of_the_followed_only() -> None:
    store = Store()
    store.put(source("a"))
    assert store.object("uid-a") is None
    store.follow("uid-a")
    store.follow("uid-a")
    store.put(source("a", version="8"))
    store.unfollow("uid-a")
    assert store.object("uid-a") is not None
    store.unfollow("uid-a")
    assert store.object("uid-a") is None


def situation(place: str, **more: Any) -> actions.Situation:
    connection = Connection()
    connection.live(NOW)
    return actions.Situation((place,), connection, row(), **more)


def test_no_two_actions_share_a_key_in_one_place() -> None:
    for places in ((actions.FLEET,), *((actions.SOURCE, tab) for tab in actions.TABS)):
        here = [action for action in actions.ACTIONS if actions.applies(action, places)]
        keys = [action.key for action in here if action.key]
        assert len(keys) == len(set(keys))
        names = [actions.command(action) for action in here]
        assert len(names) == len(set(names))


def test_upper_case_changes_and_nothing_else_does() -> None:
    for action in actions.ACTIONS:
        assert action.changes == (len(action.key) == 1 and action.key.isupper()), action.id


def test_why_a_key_does_nothing() -> None:
    trigger = actions.BY_ID["trigger"]
    assert actions.why_not(trigger, situation(actions.FLEET)) == ""
    assert actions.why_not(trigger, situation(actions.FLEET, read_only=True)) == "read-only"
    assert "you may not patch" in actions.why_not(trigger, situation(actions.FLEET, may_patch=False))
    stale = situation(actions.FLEET)
    stale.connection.lost(Away("x"), NOW)
    assert actions.why_not(trigger, stale) == "not connected"
    assert actions.why_not(actions.BY_ID["tab_1"], situation(actions.FLEET)) == "in Source only"


def test_commands_are_found_by_their_beginning() -> None:
    fleet = (actions.FLEET,)
    found = {
        name: getattr(actions.find(name, fleet), "id", None)
        for name in ("trigger", "TRI", "resume", "q", "s", "mark", "mark-all", "follow", "")
    }
    assert found == {
        "trigger": "trigger",
        "TRI": "trigger",
        "resume": "pause",
        "q": "quit",
        "s": "sort",
        "mark": "mark",
        "mark-all": "mark_all",
        "follow": None,
        "": None,
    }


def test_help_has_every_action_and_says_why_not() -> None:
    page = "\n".join("".join(cell.text for cell in line) for line in helptext.lines(situation(actions.FLEET, read_only=True), 100))
    for action in actions.ACTIONS:
        assert action.help in page
    assert page.count("(read-only)") == 3
