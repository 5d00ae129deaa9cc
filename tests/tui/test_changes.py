"""Changes, from the key to what the operator made of them; the test plays the operator."""

from __future__ import annotations

from typing import Any

import pytest
from textual.widgets import Button, Input

from syncsource.resource.api import FULL_REFRESH_AT, REQUESTED_AT
from syncsource_tui.ui.plandialog import PlanDialog
from syncsource_tui.ui.reasondialog import ReasonDialog
from tests.tui.stage import Show, Stage, ago, condition, entry, ready, showing


async def requested(show: Show, stage: Stage, name: str, *keys: str) -> str:
    """Press the keys; the token that then stands in the annotation."""
    await show.press(*keys)
    found: list[str] = []

    async def annotated() -> bool:
        annotations = (await stage.get(name))["metadata"].get("annotations", {})
        found[:] = [annotations[REQUESTED_AT]] if REQUESTED_AT in annotations else []
        return bool(found)

    while not await annotated():
        await show.pilot.pause(0.02)
    return found[0]


async def dialog(show: Show) -> PlanDialog:
    await show.until(lambda: isinstance(show.app.screen, PlanDialog), what="the plan")
    screen = show.app.screen
    assert isinstance(screen, PlanDialog)
    return screen


async def test_a_request_is_seen_to_its_end(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("T")
        plan = await dialog(show)
        assert show.app.focused is plan.query_one("#cancel", Button)
        for told in ("Trigger orders", "Context    syncsource", "Namespace  default", "One run now", "annotate syncsrc"):
            assert told in show.text
        token = await requested(show, stage, "orders", "y")
        await show.until(lambda: show.line("activity") == "▸ Trigger orders Requested")
        await stage.status("orders", {"lastHandledRequestAt": token})
        await show.until(lambda: show.line("activity") == "▸ Trigger orders Requested → Accepted")
        run = {"id": "0mw9", "trigger": "Request", "generation": 1, "startedAt": ago(0), "read": 0}
        await stage.status("orders", {"currentRun": run})
        await show.until(lambda: show.line("activity") == "▸ Trigger orders Requested → Accepted → Running")
        await stage.status("orders", {"currentRun": {**run, "read": 1204}})
        await show.until(lambda: show.line("activity").endswith("Running, 1,204 read"))
        ended = entry("0mw9", trigger="Request", read=1204, message="1,204 read, 0 inserted in 2s")
        await stage.status("orders", {"currentRun": None, "history": [ended]})
        await show.until(lambda: show.line("activity") == "✓ Trigger orders Succeeded: 1,204 read, 0 inserted in 2s")
        show.time.advance(21)
        await show.until(lambda: show.line("activity") == "")


async def test_enter_on_the_plan_cancels(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        for key in ("enter", "escape", "n"):
            await show.press("T")
            await dialog(show)
            await show.press(key)
            await show.until(lambda: show.app.screen is show.fleet)
        assert "annotations" not in (await stage.get("orders"))["metadata"]


async def test_a_refused_request_says_so(stage: Stage) -> None:
    await stage.create("orders", ready(), spec={"suspend": True, "suspendReason": "migration"})
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("T")
        await dialog(show)
        assert "the operator will refuse the request" in show.text
        token = await requested(show, stage, "orders", "y")
        refused = entry(
            "0mw9", trigger="Request", result="Refused", reason="Suspended", message="The request was refused: Suspended: migration."
        )
        await stage.status("orders", {"lastHandledRequestAt": token, "history": [refused]})
        await show.until(lambda: show.line("activity") == "✗ Trigger orders The request was refused: Suspended: migration.")


async def test_a_request_that_nobody_takes(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("T")
        await dialog(show)
        await requested(show, stage, "orders", "y")
        show.time.advance(20)
        await show.until(lambda: "is an operator running?" in show.line("activity"))


async def test_pausing_asks_why_and_resuming_does_not(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("P")
        await show.until(lambda: isinstance(show.app.screen, ReasonDialog))
        await show.press(*"moving house", "enter")
        await dialog(show)
        assert "Reason     moving house" in show.text
        await show.press("y")
        await show.until_shows("‖ Suspended")
        spec = (await stage.get("orders"))["spec"]
        assert (spec["suspend"], spec["suspendReason"]) == (True, "moving house")
        assert show.line("activity") == "▸ Pause orders Requested"
        await stage.status("orders", suspended(2, "moving house"))
        await show.until(lambda: show.line("activity") == "✓ Pause orders paused")
        await show.press("P")
        await dialog(show)
        assert "Resume orders" in show.text
        await show.press("y")
        await show.until_shows("✓ Ready")
        spec = (await stage.get("orders"))["spec"]
        assert (spec.get("suspend"), spec.get("suspendReason", "")) == (False, "")
        await stage.status("orders", {**ready(), "observedGeneration": 3})
        await show.until(lambda: show.line("activity") == "✓ Resume orders resumed")


def suspended(generation: int, reason: str) -> dict[str, Any]:
    told = [*ready()["conditions"], condition("Suspended", "True", "Suspended", reason)]
    return {"observedGeneration": generation, "conditions": told}


async def test_a_toggle_holds_for_what_was_shown_only(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("P", "enter")
        await dialog(show)
        path = "/apis/syncsource.dev/v1alpha1/namespaces/default/syncsources/orders"
        await stage.client.merge_patch(path, {"spec": {"suspend": True, "suspendReason": "theirs"}}, right="")
        await show.press("y")
        await show.until(lambda: "somebody paused it meanwhile; nothing was changed" in show.line("activity"))
        assert (await stage.get("orders"))["spec"]["suspendReason"] == "theirs"


async def test_another_object_of_the_same_name_is_left_alone(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("T")
        await dialog(show)
        await stage.delete("orders")
        await stage.create("orders", ready())
        await show.press("y")
        await show.until(lambda: "deleted" in show.line("activity"))
        assert "annotations" not in (await stage.get("orders"))["metadata"]


async def test_a_full_refresh_is_typed(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("F")
        plan = await dialog(show)
        await show.press(*"order", "enter")
        assert show.app.screen is plan
        assert plan.query_one("#confirm", Button).disabled
        token = await requested(show, stage, "orders", "s", "enter")
        annotations = (await stage.get("orders"))["metadata"]["annotations"]
        assert annotations == {REQUESTED_AT: token, FULL_REFRESH_AT: token}


async def test_many_are_confirmed_by_their_number(stage: Stage) -> None:
    for number in range(12):
        await stage.create(f"s{number:02}", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("s00", "s11")
        await show.until(lambda: len(show.names()) == 12)
        await show.press("a", "T")
        plan = await dialog(show)
        assert "Trigger 12 SyncSources" in show.text
        await show.press("y")
        assert plan.query_one(Input).value == "y"
        await show.press("backspace", *"12", "enter")
        await show.until(lambda: show.line("activity") == "Trigger 12: ▸ 12 requested")
        token = (await stage.get("s00"))["metadata"]["annotations"][REQUESTED_AT]
        for number in range(12):
            ended = entry(
                "0mw9", trigger="Request", result="Failed" if number == 3 else "Succeeded", message="it broke" if number == 3 else "ok"
            )
            await stage.status(f"s{number:02}", {"lastHandledRequestAt": token, "history": [ended]})
        await show.until(lambda: show.line("activity") == "Trigger 12: ✓ 11 done ✗ 1 failed s03: Failed: it broke")
        assert not show.app.fleet.marks


async def test_marked_rows_that_the_filter_hides_are_told(stage: Stage) -> None:
    await stage.create("a", ready())
    await stage.create("b", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b")
        await show.press("a", "slash", *"name:a", "enter", "T")
        await dialog(show)
        assert "2: a, b" in show.text
        assert "1 of them are marked, but not shown by the filter" in show.text


@pytest.mark.parametrize("key", ["T", "P", "F"])
async def test_read_only_changes_nothing(stage: Stage, key: str) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig, read_only=True) as show:
        await show.until_live("orders")
        assert "read-only" in show.line("header")
        await show.press(key)
        await show.until(lambda: show.line("activity").endswith(": read-only"))
        assert show.app.screen is show.fleet
