"""The fleet before a real control plane."""

from __future__ import annotations

from syncsource_tui.core.actions import BY_ID
from syncsource_tui.ui.table import LineTable
from tests.tui.stage import Stage, Time, ago, condition, failed, ready, running, showing


async def test_rows_are_live(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        assert "✓ Ready" in show.text
        await stage.status("orders", running(read=12))
        await show.until_shows("▸ Running")
        await show.until_shows("12 read, 4")
        await stage.status("orders", running(read=9204))
        await show.until_shows("9,204 read, 4")
        await stage.create("stores", failed())
        await show.until_shows("Unavailable: 503 from https://api.example/v1/orders")
        await stage.delete("orders")
        await show.until(lambda: show.names() == ["stores"])


async def test_times_tick(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig, time=Time(ticking=False)) as show:
        await show.until_live("orders")
        assert "4m     in 11m" in show.text
        show.time.advance(600)
        await show.until_shows("14m    in 90s")
        show.time.advance(120)
        await show.until_shows("30s late")
        assert "1 late: is an operator running?" in show.line("view")


async def test_the_retry_counts_where_it_is_earlier(stage: Stage) -> None:
    await stage.create("orders", failed())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.until_shows("in 2m")


async def test_the_header_counts_states(stage: Stage) -> None:
    await stage.create("a", ready())
    await stage.create("b", failed())
    await stage.create("c", failed(conditions=[condition("Stalled", "True", "InvalidSpec", "spec.keys: none")]))
    await stage.create("d", running())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b", "c", "d")
        assert show.line("header").endswith("4 ✓ 1 ▸ 1 ✗ 2 v0.1.0")


async def test_filter_and_problems_combine(stage: Stage) -> None:
    await stage.create("orders-eu", failed())
    await stage.create("orders-us", ready())
    await stage.create("stores-eu", failed("AuthFailed", "401 from the source"))
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders-eu", "orders-us", "stores-eu")
        await show.press("slash", *"eu")
        assert show.names() == ["orders-eu", "stores-eu"]
        await show.press("enter", "z")
        assert show.names() == ["orders-eu", "stores-eu"]
        assert "2 of 3 shown" in show.line("view")
        await show.press("slash", *" !message:40[0-9]", "enter")
        assert show.names() == ["orders-eu"]
        await show.press("escape")
        assert show.names() == ["orders-eu", "orders-us", "stores-eu"]


async def test_a_filter_that_is_no_filter_says_why_and_changes_nothing(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("slash", *"name:(")
        await show.until(lambda: "'(' is not a regular expression" in show.line("activity"))
        assert show.names() == ["orders"]
        await show.press("escape")
        await show.until(lambda: show.line("activity") == "")


async def test_sorting_goes_round(stage: Stage) -> None:
    await stage.create("a", ready(lastRun={"id": "1", "changed": 1}, nextRunTime=ago(-30)))
    await stage.create("b", ready(lastRun={"id": "2", "changed": 7}, nextRunTime=ago(-20), quarantined=3))
    await stage.create("c", failed(lastSuccessTime=ago(9000), nextRunTime=ago(-10)))
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b", "c")
        seen = []
        for _ in range(6):
            await show.press("o")
            seen.append((show.app.fleet.sort.name, "".join(show.names())))
        assert seen == [("status", "cba"), ("last", "abc"), ("next", "cba"), ("rows", "cba"), ("quarantined", "bac"), ("name", "abc")]


async def test_an_order_that_moves_stands_still_after_a_key(stage: Stage) -> None:
    await stage.create("a", ready())
    await stage.create("b", ready())
    async with showing(stage.kubeconfig, time=Time(ticking=False)) as show:
        await show.until_live("a", "b")
        await show.press("colon", *"sort status", "enter")
        await show.until(lambda: show.app.fleet.sort.name == "status")
        await stage.status("b", failed())
        await show.until_shows("✗ Failed")
        assert show.names() == ["a", "b"]
        show.time.advance(2.5)
        await show.until(lambda: show.names() == ["b", "a"])


async def test_the_cursor_stays_on_its_row(stage: Stage) -> None:
    for name in ("b", "d", "f"):
        await stage.create(name, ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("b", "d", "f")
        await show.press("j")
        assert show.cursor() == "d"
        show.time.advance(10)
        await stage.create("a", ready())
        await stage.create("c", ready())
        await show.until(lambda: show.names() == ["a", "b", "c", "d", "f"])
        assert show.cursor() == "d"
        await stage.delete("d")
        await show.until(lambda: len(show.fleet.table.keys) == 4)
        assert show.cursor() == "f"


async def test_marks(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        await stage.create(name, ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b", "c")
        await show.press("space", "space")
        assert show.line("view").endswith("3 shown · 2 marked")
        assert show.text.count("●") == 2
        await show.press("a")
        assert show.line("view").endswith("3 marked")
        await show.press("a")
        assert show.line("view").endswith("3 shown")
        await show.press("k", "space")
        await stage.delete("b")
        await show.until(lambda: len(show.fleet.table.keys) == 2)
        assert show.line("view").endswith("2 shown")


async def test_namespaces_have_a_column_where_there_is_more_than_one(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        assert "NAMESPACE" not in show.text
        await stage.namespace("rental")
        await stage.create("bookings", ready(), namespace="rental")
        await show.until_shows("NAMESPACE")
        assert "rental" in show.text


async def test_only_the_namespaces_asked_for(stage: Stage) -> None:
    for name in ("rental", "shop", "other"):
        await stage.namespace(name)
        await stage.create(f"of-{name}", ready(), namespace=name)
    async with showing(stage.kubeconfig, namespaces=["rental", "shop"]) as show:
        await show.until_live("of-rental", "of-shop")
        assert "syncsource ⟩ rental, shop" in show.text
        await stage.create("later", ready(), namespace="shop")
        await show.until(lambda: show.names() == ["of-rental", "later", "of-shop"])


async def test_nothing_is_drawn_that_did_not_change(loose: Stage) -> None:
    loose.fill(100)
    async with showing(loose.kubeconfig, size=(80, 24)) as show:
        await show.until_live()
        await show.until(lambda: len(show.names()) == 100)
        await show.pilot.pause(0.3)
        drawn: list[int] = []
        table = show.fleet.table
        real = table.render_line
        table.render_line = lambda y: (drawn.append(y), real(y))[1]  # type: ignore[method-assign]
        await loose.status("source-00003", ready())
        await show.until_shows("✓ Ready")
        assert drawn == [3]
        drawn.clear()
        await loose.status("source-00090", ready())
        await show.until(lambda: show.app.fleet.store.counts().total() and "✓ 2" in show.line("header"))
        assert drawn == []


async def test_five_thousand_come_in_pages_and_the_cursor_keeps_its_row(loose: Stage) -> None:
    loose.fill(5000)
    async with showing(loose.kubeconfig) as show:
        await show.until(lambda: 0 < len(show.app.fleet.store.rows) < 5000, what="the first page alone")
        await show.until(lambda: show.fleet.table.keys, what="a painted page")
        assert len(show.app.fleet.store.rows) < 5000
        assert "LOADING" in show.line("header")
        await show.press("end")
        name = show.cursor()
        await show.until_live()
        show.time.advance(5)
        await show.until(lambda: len(show.names()) == 5000)
        assert show.cursor() == name
        await show.press("G")
        assert show.cursor() == "source-04999"
        assert "source-04999" in show.text


async def test_keys_that_lead_nowhere_say_so(stage: Stage) -> None:
    async with showing(stage.kubeconfig) as show:
        await show.until_live()
        await show.press("T")
        await show.until(lambda: show.line("activity") == "Trigger: no row is chosen")
        await show.press("colon", *"frobnicate", "enter")
        await show.until(lambda: show.line("activity").startswith("'frobnicate' is no command here"))


async def test_every_key_of_the_registry_is_bound(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        bound = set(show.app.active_bindings)
        for action in BY_ID.values():
            if action.place in ("Fleet", "Everywhere") and action.key:
                assert action.key in bound or action.key.upper() in bound, action.id


async def test_the_mouse_moves_and_opens(stage: Stage) -> None:
    await stage.create("a", ready())
    await stage.create("b", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("a", "b")
        await show.pilot.click(LineTable, offset=(10, 1))
        assert show.cursor() == "b"
        await show.pilot.click(LineTable, offset=(10, 1), times=2)
        await show.until_shows("[1 Overview]")
        await show.pilot.click("#footer", offset=(show.app.screen.query_one("#footer").text.index("Back") + 1, 0))  # type: ignore[attr-defined]
        await show.until(lambda: show.app.screen is show.fleet)


async def test_another_size_has_room_for_other_columns(stage: Stage) -> None:
    for number in range(30):
        await stage.create(f"s{number:02}", ready())
    async with showing(stage.kubeconfig, size=(80, 24)) as show:
        await show.until_live("s00")
        await show.until(lambda: len(show.names()) == 30)
        assert "ROWS" not in show.text
        await show.press("end")
        await show.pilot.resize_terminal(120, 12)
        await show.until_shows("ROWS")
        assert "s29" in show.text
        await show.pilot.resize_terminal(20, 4)
        await show.pilot.pause()
        await show.pilot.resize_terminal(80, 24)
        await show.until_shows("s29")
        assert show.cursor() == "s29"


async def test_the_palette_does_what_the_keys_do(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("ctrl+p")
        await show.until_shows("Trigger")
        await show.press(*"problems")
        await show.until_shows("only what is stalled")
        await show.press("enter")
        await show.until(lambda: show.app.fleet.problems)


async def test_the_command_line_knows_what_can_be_done_here(stage: Stage) -> None:
    await stage.create("orders", ready())
    async with showing(stage.kubeconfig) as show:
        await show.until_live("orders")
        await show.press("colon", *"sort rows", "enter")
        await show.until(lambda: show.app.fleet.sort.name == "rows")
        await show.press("colon", *"sort size", "enter")
        await show.until(lambda: show.line("activity").startswith("'size' is no order: name, status"))
        await show.press("colon", *"help me", "enter")
        await show.until(lambda: show.line("activity") == "help takes nothing after its name")
        await show.press("escape", "colon", *"filter nothing", "enter")
        await show.until(lambda: show.names() == [])
        await show.press("colon", *"logs", "enter")
        await show.until(lambda: show.line("activity") == "Logs: no row is chosen")
