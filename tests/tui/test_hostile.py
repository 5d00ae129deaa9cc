"""Objects as no operator would write them, and texts that are after the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from syncsource_tui.core.text import clean
from tests.tui.stage import Stage, ready, showing

ATTACK = "before\x1b]52;c;ZXZpbA==\x07mid\x1b[31mred\x1b[0m\x9b2J\u202eevil\u2066\r\n\x00after [bold]not markup[/] \ud800"
"""Clipboard, colour, C1, bidirectional override, lines, NUL, markup, half of a character."""


async def test_escape_sequences_never_reach_the_screen(loose: Stage) -> None:
    status = ready(conditions=[{"type": "Ready", "status": "False", "reason": "Failed", "message": ATTACK.replace("\ud800", "")}])
    await loose.create(
        "orders", {**status, "cursor": ATTACK.replace("\ud800", ""), "history": [{"id": "1", "result": "Failed", "message": ATTACK[:-1]}]}
    )
    async with showing(loose.kubeconfig) as show:
        await show.until_live("orders")
        await show.until_shows("before mid red evil after [bold]not markup[/]")
        for key in ("enter", "2", "3", "4", "5"):
            await show.press(key)
            await show.until_shows("1 Overview")
            await show.pilot.pause(0.05)
            assert not _controls(show.text)


def _controls(text: str) -> set[str]:
    return {
        character
        for character in text
        if character != "\n" and (ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character in "\u202e\u2066")
    }


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": "none", "history": {"a": 1}, "currentRun": [], "lastRun": "x", "quarantined": "many"},
        {"conditions": [None, 7, {"type": ["Ready"]}], "history": [3, None, {"id": 5, "result": {}}], "lastSuccessTime": 12},
        {"nextRunTime": "tomorrow", "nextRetryTime": "9999-99-99T00:00:00Z", "lastSuccessTime": "0001-01-01T00:00:00+23:59"},
        {"currentRun": {"id": {}, "read": -5, "startedAt": "never"}, "quarantined": 10**30, "lastRun": {"changed": True}},
        {"observedGeneration": "1", "effectiveSchedule": ["every"], "cursor": {"a": 1}},
    ],
)
async def test_a_status_of_the_wrong_types_is_shown_as_far_as_it_goes(loose: Stage, status: dict[str, Any]) -> None:
    await loose.create("orders", status, spec={"schedule": 5, "source": "x", "keys": [{"fields": 3}], "fields": "none", "suspend": "yes"})
    async with showing(loose.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("enter")
        for key in ("1", "2", "3", "4", "5"):
            await show.press(key)
            await show.until_shows(f"[{key} ")
        assert show.app.is_running


async def test_long_and_wide_names_stay_in_their_columns(loose: Stage) -> None:
    await loose.create("n" * 253, ready(), spec={"suspend": True, "suspendReason": "移行中です" * 20})
    await loose.create("short", ready(conditions=[{"type": "Ready", "status": "True", "message": "שלום עולם"}]))
    for size in ((80, 24), (120, 40), (30, 8)):
        async with showing(loose.kubeconfig, size=size) as show:
            await show.until_live()
            await show.until(lambda: len(show.names()) == 2)
            await show.until_shows("nnnn")
            lines = show.text.split("\n")
            place = next(line.index("STATUS") for line in lines if "STATUS" in line)
            assert [line[place] for line in lines if "nnnn" in line or "short" in line] == ["‖", "✓"]


def test_clean_leaves_what_people_write() -> None:
    for text in ("naïve café", "移行中", "שלום", "10 % of 5 °C — “quoted”…", "emoji 🎉 stays"):
        assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (ATTACK, "before mid red evil after [bold]not markup[/] \ufffd"),
        ("\x1b", ""),
        ("\x1b]0;title\x1b\\x", "x"),
        ("\x1bP1$r0m\x1b\\x", "x"),
        ("a\x9d52;c;eA==\x9cb", "a b"),
        ("a\u200bb\u200dc\ufe0fd", "abcd"),
        ("one\u2028two\tthree", "one two three"),
        (None, ""),
        (12, "12"),
        ("x" * 9000, "x" * 4095 + "…"),
    ],
)
def test_clean(text: Any, cleaned: str) -> None:
    assert clean(text) == cleaned
