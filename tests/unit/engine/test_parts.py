"""The parts of a run that need no database: guards, stopping, redacting, the cursor's hash."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from syncsource.engine.confighash import config_hash
from syncsource.engine.guards import Invalid
from syncsource.engine.redacting import redact
from syncsource.engine.stopping import Stop
from syncsource.errors import AbortedError, GuardError, RetryableError
from syncsource.records.batch import Rejected
from syncsource.resource.spec import SyncSourceSpec, Validation

SPEC: dict[str, Any] = {
    "source": {"http": {"baseURL": "http://api", "timeout": "30s"}},
    "fields": [{"name": "id", "type": "integer"}],
    "keys": [{"fields": ["id"]}],
    "destination": {"sql": {"urlFrom": {"secretKeyRef": {"name": "db", "key": "url"}}, "table": "t"}},
    "incremental": {"cursor": "at", "param": "since"},
}


def invalid(count: int, **validation: Any) -> Invalid:
    """So many rejected records, under these rules."""
    tally = Invalid(Validation.model_validate(validation))
    tally.add([Rejected("{}", "InvalidValue", "total: 'secret content' is not a number", "total")] * (count - 1))
    tally.add([Rejected("{}", "MissingKey", "id: …", "id")] * min(count, 1))
    return tally


@pytest.mark.parametrize(("count", "read", "limit"), [(5, 100, "5%"), (0, 0, "0%"), (3, 100, 3), (1, 1, "100%"), (2, 100, None)])
def test_as_many_as_allowed_pass(count: int, read: int, limit: int | str | None) -> None:
    invalid(count, maxInvalid=limit).check(read)


@pytest.mark.parametrize(("count", "read", "limit"), [(6, 100, "5%"), (1, 10_000, "0%"), (4, 100, 3), (1, 0, 0), (1, 19, "5%")])
def test_one_more_fails_the_run(count: int, read: int, limit: int | str) -> None:
    with pytest.raises(GuardError) as caught:
        invalid(count, maxInvalid=limit).check(read)
    assert caught.value.reason == "TooManyInvalid"
    assert f"{count:,} of {read:,} records are invalid: " in caught.value.message
    assert caught.value.message.endswith(f"more than spec.validation.maxInvalid ({limit}); nothing was written")


def test_a_message_tells_fields_and_reasons_but_no_contents() -> None:
    with pytest.raises(GuardError) as caught:
        invalid(3, onInvalid="Fail").check(10)
    assert caught.value.message == (
        "3 of 10 records are invalid: 2 InvalidValue (total), 1 MissingKey (id), and spec.validation.onInvalid is Fail; nothing was written"
    )


def test_the_first_cause_of_a_stop_counts_and_hooks_are_called() -> None:
    stop, called = Stop(), threading.Event()
    with stop.calling(called.set):
        stop(RetryableError("late", reason="Timeout"))
        stop()
    assert called.is_set()
    assert stop.event.is_set()
    with pytest.raises(RetryableError, match="late"):
        stop.check()
    assert stop.cause_of(AbortedError("cancelled")).reason == "Timeout"


def test_a_run_out_of_time_says_which_field_to_change() -> None:
    stop = Stop()
    with stop.after(timedelta(milliseconds=1)):
        assert stop.event.wait(5)
    with pytest.raises(RetryableError, match=r"longer than spec.timeout \(1ms\); nothing of it was written"):
        stop.check()


@pytest.mark.parametrize(
    ("message", "value", "shown"),
    [
        ("no user for hunter2x", "hunter2x", "no user for ***"),
        ("at postgresql://u:p%40ss@h/d now", "postgresql://u:p%40ss@h/d", "at *** now"),
        ("password p@ss is wrong", "postgresql://u:p%40ss@h/d", "password *** is wrong"),
        ("GET /x?key=a%2Fb%3D%3D", "a/b==", "GET /x?key=***"),
        ("1 of 10 records", "1", "1 of 10 records"),
    ],
)
def test_no_secret_is_left_in_a_message(message: str, value: str, shown: str) -> None:
    assert redact(message, {"s": {"k": value}}) == shown


def changed(**changes: Any) -> str:
    """The hash of the spec with parts of it changed."""
    return config_hash(SyncSourceSpec.model_validate({**SPEC, **changes}))


def test_tuning_does_not_make_a_cursor_worthless() -> None:
    same = changed()
    assert changed(source={"http": {"baseURL": "http://api", "timeout": "5s", "rateLimit": {"requests": 1, "per": "1s"}}}) == same
    assert changed(incremental={"cursor": "at", "param": "since", "lookback": "1h"}) == same
    assert changed(schedule={"every": "1h"}, timeout="1h", retry={"limit": 0}) == same


def test_tuning_of_a_download_does_not_make_its_file_be_taken_again() -> None:
    def csv(**download: Any) -> str:
        return changed(source={"csv": {"download": {"url": "http://shop/a.csv", **download}}}, incremental=None)

    assert csv(timeout="20m", readTimeout="1m", maxBytes=2048, retry={"attempts": 2}, rateLimit={"requests": 1, "per": "1s"}) == csv()
    assert csv(url="http://shop/b.csv") != csv()


@pytest.mark.parametrize(
    "change",
    [
        {"source": {"http": {"baseURL": "http://other"}}},
        {"source": {"http": {"baseURL": "http://api", "request": {"path": "/x"}}}},
        {"incremental": {"cursor": "id", "param": "since"}},
        {"fields": [{"name": "id", "type": "text"}]},
        {"fields": [*SPEC["fields"], {"name": "more", "type": "text"}]},
        {"destination": {"sql": {**SPEC["destination"]["sql"], "table": "other"}}},
        {"write": {"onExisting": "Skip"}},
    ],
)
def test_what_is_read_or_written_does(change: dict[str, Any]) -> None:
    assert changed(**change) != changed()
