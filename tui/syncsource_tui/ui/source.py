"""One source: overview, runs, log, Events and YAML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from syncsource_tui.core import header
from syncsource_tui.core.actions import EVENTS, LOGS, OVERVIEW, RUNS, SOURCE, TABS, YAML, Action
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.failures import Failure
from syncsource_tui.core.loglines import LogBuffer
from syncsource_tui.core.reading import Object, number, part
from syncsource_tui.core.row import Row
from syncsource_tui.core.store import Delta
from syncsource_tui.kube import paths
from syncsource_tui.kube.eventwatch import EventWatch
from syncsource_tui.kube.operatorlog import OperatorLog
from syncsource_tui.ui import panes
from syncsource_tui.ui.page import Page, bindings
from syncsource_tui.ui.prompt import Prompt
from syncsource_tui.ui.toned import Bar


class SourcePage(Page):
    """Opened from the fleet. It goes on showing what it knew of an object that was deleted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(SOURCE),
        *bindings(LOGS),
        Binding("left,h", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
    ]

    def __init__(self, row: Row, tab: str) -> None:
        super().__init__()
        self.row, self.tab = row, tab
        self.buffer = LogBuffer(row.key)
        self.problem = ""
        """Why the object could not be read."""
        self._object: Object | None = None
        self._second = 0
        self._started: set[str] = set()

    def middle(self) -> Iterable[Widget]:
        yield Bar(id="tabs")
        with ContentSwitcher(id="panes", initial=self.tab):
            yield panes.Overview(id=OVERVIEW)
            yield panes.Runs(id=RUNS, ascii_only=self.main.options.ascii)
            yield panes.Logs(self.buffer, id=LOGS)
            yield panes.Events(id=EVENTS)
            yield panes.Yaml(id=YAML)

    def on_mount(self) -> None:
        """Follow the object."""
        session = self.main.session
        session.store.follow(self.row.uid)
        self.events = EventWatch(session.required, self.row.namespace, self.row.uid)
        self.log_reader = OperatorLog(session.required, self.buffer)
        self.run_worker(self._fetch(), group="object")
        self._turn_to(self.tab)
        super().on_mount()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self.main.session.store.unfollow(self.row.uid)

    @property
    def places(self) -> tuple[str, ...]:
        return (SOURCE, self.tab)

    @property
    def source(self) -> Object | None:
        """The object as it was last seen."""
        self._object = self.main.session.store.object(self.row.uid) or self._object
        return self._object

    def chosen_row(self) -> Row | None:
        return self.main.session.store.rows.get(self.row.uid)

    def focus_main(self) -> None:
        pane = self.query_one(f"#{self.tab}")
        (pane.table if isinstance(pane, panes.TablePane) else pane).focus()

    def tick(self, delta: Delta) -> None:
        now = self.main.clock.now()
        self.row = self.chosen_row() or self.row
        if self.row.uid in delta.changed or int(now) != self._second or self.tab in (LOGS, EVENTS):
            self._second = int(now)
            self._draw()
        self.draw_frame()

    def on_resize(self) -> None:
        super().on_resize()
        self.call_after_refresh(self._draw)

    def perform(self, action: Action, argument: str) -> None:
        if action.id.startswith("tab_"):
            self._turn_to(TABS[int(action.id[-1]) - 1])
        elif action.id == "back":
            self.dismiss()
        elif action.id == "log_follow":
            logs = self.query_one(panes.Logs)
            logs.follow(on=not logs.table.follows)
        elif action.id == "log_all":
            self.buffer.everything = not self.buffer.everything
        elif action.id == "log_filter":
            self._filter_log(argument)
        self._draw()
        self.draw_frame()

    def action_turn(self, by: int) -> None:
        """The next tab, or the one before."""
        self._turn_to(TABS[(TABS.index(self.tab) + by) % len(TABS)])

    def head(self) -> tuple[list[Cell], list[Cell]]:
        main, row = self.main, self.row
        left = header.places(main.context, (), row.namespace, row.name, ascii_only=main.options.ascii)
        state = Cell(row.state.shown(ascii_only=main.options.ascii), row.state.value.tone)
        if self.chosen_row() is None and main.session.connection.is_live:
            state = Cell("deleted", "bad")
        return [*left, Cell("   "), state], [*self._generation(), *self.version()]

    def _generation(self) -> list[Cell]:
        if self.source is None or self.size.width < 100:
            return []
        generation, observed = (
            number(part(self.source, "metadata"), "generation"),
            number(part(self.source, "status"), "observedGeneration"),
        )
        return [Cell(f"gen {generation} (observed {observed or 'never'})   ", "dim" if generation == observed else "warn")]

    def _turn_to(self, tab: str) -> None:
        self.tab = tab
        self.query_one(ContentSwitcher).current = tab
        self._start(tab)
        self.query_one("#tabs", Bar).show(self._tabs())
        self.focus_main()
        self.call_after_refresh(self._draw)
        self.draw_frame()

    def _tabs(self) -> list[Cell]:
        cells: list[Cell] = []
        for place, tab in enumerate(TABS, 1):
            chosen = tab == self.tab
            cells += [Cell(f"[{place} {tab}]" if chosen else f" {place} {tab} ", "key" if chosen else "dim"), Cell(" ")]
        return cells

    def _start(self, tab: str) -> None:
        """What costs a connection is read once somebody looks."""
        if tab in self._started:
            return
        self._started.add(tab)
        if tab == LOGS:
            self.run_worker(self.log_reader.run(), group="logs")
        elif tab == EVENTS:
            self.run_worker(self.events.run(), group="events")

    async def _fetch(self) -> None:
        try:
            client = self.main.session.required()
            right = paths.right("get", paths.RESOURCE, self.row.namespace)
            self._object = await client.get(paths.sources(self.row.namespace, self.row.name), right=right)
        except Failure as failure:
            self.problem = failure.message
        self._draw()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        clock = self.main.clock
        if self.tab == LOGS:
            self.query_one(panes.Logs).draw(self.log_reader.state, self.log_reader.failed, clock)
        elif self.tab == EVENTS:
            self.query_one(panes.Events).draw(self.events.events, self.events.problem, clock)
        elif self.source is not None:
            pane = self.query_one(f"#{self.tab}")
            assert isinstance(pane, panes.Overview | panes.Runs | panes.Yaml)
            pane.draw(self.source, clock)
        elif self.problem:
            self.query_one(panes.Overview).show([[Cell(f"It can't be read: {self.problem}", "bad")]])

    def _filter_log(self, argument: str) -> None:
        def show(text: str) -> str:
            self.buffer.needle = text.strip()
            self._draw()
            return ""

        if argument:
            show(argument)
        else:
            self.query_one(Prompt).ask("/", self.buffer.needle, live=show)
