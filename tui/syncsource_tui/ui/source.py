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
from syncsource_tui.ui.host import Host
from syncsource_tui.ui.page import Page, bindings
from syncsource_tui.ui.toned import Bar


class SourcePage(Page):
    """Opened from the fleet. It goes on showing what it knew of an object that was deleted."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(SOURCE),
        *bindings(LOGS),
        Binding("left,h", "turn(-1)", show=False),
        Binding("right", "turn(1)", show=False),
    ]

    def __init__(self, row: Row, tab: str, host: Host) -> None:
        super().__init__()
        self.row, self.tab = row, tab
        self.buffer = LogBuffer(row.key)
        self.log_reader = OperatorLog(host.session.required, self.buffer)
        self.event_watch = EventWatch(host.session.required, row.namespace, row.uid)
        self.tabs = Bar(id="tabs")
        self.overview, self.runs = panes.Overview(id=OVERVIEW), panes.Runs(id=RUNS)
        self.logs, self.events, self.yaml = panes.Logs(self.buffer, id=LOGS), panes.Events(id=EVENTS), panes.Yaml(id=YAML)
        self.panes = ContentSwitcher(self.overview, self.runs, self.logs, self.events, self.yaml, id="panes", initial=tab)
        self.problem = ""
        """Why the object could not be read."""
        self._object: Object | None = None
        self._second = 0
        self._started: set[str] = set()

    def middle(self) -> Iterable[Widget]:
        return self.tabs, self.panes

    def on_mount(self) -> None:
        """Follow the object."""
        self.main.session.store.follow(self.row.uid)
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
        {OVERVIEW: self.overview, RUNS: self.runs.table, LOGS: self.logs.table, EVENTS: self.events.table, YAML: self.yaml}[
            self.tab
        ].focus()

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
            self.logs.follow(on=not self.logs.table.follows)
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
        left = header.places(main.context, (), row.namespace, row.name)
        state = Cell(row.state.shown, row.state.value.tone)
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
        self.panes.current = tab
        self._start(tab)
        self.tabs.show(self._tabs())
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
            self.run_worker(self.event_watch.run(), group="events")

    async def _fetch(self) -> None:
        try:
            client = self.main.session.required()
            right = paths.right("get", paths.RESOURCE, self.row.namespace)
            self._object = await client.get(paths.sources(self.row.namespace, self.row.name), right=right)
        except Failure as failure:
            self.problem = failure.message
        self._draw()
        self.draw_frame()

    def _draw(self) -> None:
        if not self.is_mounted:
            return
        clock = self.main.clock
        if self.tab == LOGS:
            self.logs.draw(self.log_reader.state, self.log_reader.failed, clock)
        elif self.tab == EVENTS:
            self.events.draw(self.event_watch.events, self.event_watch.problem, clock)
        elif self.source is not None:
            {OVERVIEW: self.overview.draw, RUNS: self.runs.draw, YAML: self.yaml.draw}[self.tab](self.source, clock)
        elif self.problem:
            self.overview.show([[Cell(f"It can't be read: {self.problem}", "bad")]])

    def _filter_log(self, argument: str) -> None:
        def show(text: str) -> str:
            self.buffer.needle = text.strip()
            self._draw()
            return ""

        if argument:
            show(argument)
        else:
            self.prompt.ask("/", self.buffer.needle, live=show)
