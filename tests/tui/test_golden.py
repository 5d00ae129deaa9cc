"""Whole screens, as text: tests/tui/golden. After a wanted change: SYNCSOURCE_TEST_WRITE_GOLDEN=1 pytest tests/tui/test_golden.py, and look."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.tui.stage import Show, Stage, Time, ago, condition, entry, failed, ready, running, showing

GOLDEN = Path(__file__).parent / "golden"
PICTURE = Path(__file__).parents[2] / "docs" / "tui.svg"
WRITE = "SYNCSOURCE_TEST_WRITE_GOLDEN"
SIZES = [(80, 24), (120, 40)]


async def fleet(stage: Stage) -> None:
    """Eight sources of two teams, one in each state that matters."""
    for team in ("rental", "shop"):
        await stage.namespace(team)
    await stage.create("bookings", running(), namespace="rental", labels={"app": "rental"})
    quarantined = {"quarantined": 91, "lastRun": {"id": "0mw1", "changed": 48112}, "lastSuccessTime": ago(130)}
    await stage.create(
        "crm-contacts", ready(**quarantined, conditions=[_ready("48,203 read, 48,112 inserted, 91 quarantined in 41s")]), namespace="rental"
    )
    await stage.create(
        "invoices",
        failed("AuthFailed", "401 from https://api.example/v1/invoices: check the token in Secret rental-api"),
        namespace="rental",
    )
    exhausted = [condition("Stalled", "True", "SecretNotFound", "Secret rental-db has no key url (spec.destination.sql.urlFrom)")]
    await stage.create("payments", failed(conditions=exhausted, nextRunTime=None, nextRetryTime=None), namespace="rental")
    await stage.create(
        "events-raw",
        ready(lastSuccessTime=ago(190000)),
        namespace="shop",
        spec={"suspend": True, "suspendReason": "migration, back on Monday"},
    )
    history = [
        entry(
            "0mwq0o1em2zqn",
            read=1204,
            inserted=3,
            updated=9,
            unchanged=1192,
            message="1,204 read, 3 inserted, 9 updated, 1,192 unchanged in 1.4s",
        ),
        entry(
            "0mwq0mqov11ab",
            result="Failed",
            reason="Unavailable",
            message="503 from https://api.example/v1/orders: Retry-After 30",
            startedAt=ago(1100),
        ),
        entry(
            "0mwq0kzu5lm2c",
            trigger="Request",
            result="Refused",
            reason="Suspended",
            message="The request was refused and will not run later: Suspended.",
            startedAt=ago(4000),
        ),
        entry("0mwq0kcos2dl6", trigger="Create", read=520, inserted=520, message="520 read, 520 inserted in 174ms", startedAt=ago(90000)),
    ]
    await stage.create("orders", ready(history=history, cursor="2026-11-21T11:55:58Z"), namespace="shop", labels={"app": "shop"})
    await stage.create("products", namespace="shop")
    await stage.create("stores", ready(lastSuccessTime=ago(3700), nextRunTime=ago(75)), namespace="shop")


def _ready(message: str) -> dict[str, object]:
    return condition("Ready", "True", "RecordsQuarantined", message)


async def shown(show: Show) -> None:
    await show.until_live("bookings", "stores")
    await show.until(lambda: show.app.session.rights.may_patch("shop") is True)


async def keys(show: Show, *pressed: str, shows: str = "") -> None:
    await show.press(*pressed)
    if shows:
        await show.until_shows(shows)


async def compare(name: str, show: Show, size: Sequence[int], port: str = "") -> None:
    """The screen is as it was kept, as soon as all is painted. ``port``: the control plane's, where it is shown."""
    path = GOLDEN / f"{name}-{size[0]}x{size[1]}.txt"

    def text() -> str:
        return _steady(show.text.replace(port, "12345") if port else show.text)

    if os.environ.get(WRITE):
        await show.pilot.pause(1)
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text())
    kept = path.read_text()
    with contextlib.suppress(AssertionError):
        await show.until(lambda: text() == kept)
    assert text() == kept


def _steady(text: str) -> str:
    """Without what the control plane decides."""
    text = re.sub(r"(Created +)\S.*", r"\1<when>", text)
    text = re.sub(r"(?<=At=)\S+Z", lambda match: "<token>".ljust(len(match[0])), text)
    return text.rstrip("\n") + "\n"


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_fleet(stage: Stage, size: tuple[int, int]) -> None:
    await fleet(stage)
    async with showing(stage.kubeconfig, size=size, time=Time(ticking=False)) as show:
        await shown(show)
        await compare("fleet", show, size)
        await keys(show, *"jjjjj", "space", "space", "slash", *"!ns:rent !name:x", "enter", shows="● ")
        await compare("fleet-filtered", show, size)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_source(stage: Stage, size: tuple[int, int]) -> None:
    await fleet(stage)
    async with showing(stage.kubeconfig, size=size, time=Time(ticking=False)) as show:
        await shown(show)
        await keys(show, *"jjjjj", "enter", shows="https://api.example/v1/orders")
        await compare("overview", show, size)
        await keys(show, "2", "j", shows="Retry-After 30")
        await compare("runs", show, size)
        await keys(show, "3", shows="no log: there is no Pod")
        await compare("logs-without-pod", show, size)


async def test_dialogs(stage: Stage) -> None:
    size = (80, 24)
    await fleet(stage)
    async with showing(stage.kubeconfig, size=size, time=Time(ticking=False)) as show:
        await shown(show)
        await keys(show, "T", shows="One run now")
        await compare("plan-trigger", show, size)
        await keys(show, "escape", "F", shows="to confirm")
        await compare("plan-full", show, size)
        await keys(show, "escape", "P", shows="Why?")
        await compare("reason", show, size)
        await keys(show, "escape", "question_mark", shows="Changes")
        await compare("help", show, size)


async def test_read_only_in_ascii(stage: Stage) -> None:
    size = (80, 24)
    await fleet(stage)
    async with showing(stage.kubeconfig, size=size, time=Time(ticking=False), ascii=True, read_only=True) as show:
        await shown(show)
        await compare("fleet-ascii", show, size)
        own = show.text
        assert own.isascii()


async def test_stale(stage: Stage) -> None:
    size = (80, 24)
    await fleet(stage)
    async with showing(stage.kubeconfig, size=size, time=Time(ticking=False)) as show:
        await shown(show)
        port = str(stage.plane.port)
        await stage.stop()
        await show.until(lambda: show.app.session.connection.failures >= 2 and "retry in 2s" in show.text)
        show.time.advance(42)
        show.app.session.connection.retry_at = show.time.now() + 4
        await show.until_shows("retry in 4s")
        await show.until_shows("STALE 42s")
        assert port in show.text
        await compare("stale", show, size, port)


async def test_the_picture_of_the_readme(stage: Stage) -> None:
    await fleet(stage)
    async with showing(stage.kubeconfig, size=(110, 20), time=Time(ticking=False)) as show:
        await shown(show)
        await show.press("j", "j")
        await show.pilot.pause(0.2)
        picture = show.app.export_screenshot(title="syncsource tui")
        if os.environ.get(WRITE):
            PICTURE.write_text(picture)
        assert _text_of(picture) == _text_of(PICTURE.read_text())


def _text_of(picture: str) -> list[str]:
    return re.findall(r">([^<>]+)</text>", picture)
