"""All SyncSources at a glance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.widget import Widget

from syncsource_tui.core import columns, header
from syncsource_tui.core.actions import EVENTS, FLEET, LOGS, OVERVIEW, RUNS, YAML, Action
from syncsource_tui.core.columns import MARK, Cell, Column
from syncsource_tui.core.ordering import SORTS, after, named
from syncsource_tui.core.query import QueryError, parse
from syncsource_tui.core.row import Row
from syncsource_tui.core.store import Delta
from syncsource_tui.core.text import width_of
from syncsource_tui.ui.page import Page, bindings
from syncsource_tui.ui.source import SourcePage
from syncsource_tui.ui.table import Heading, LineTable
from syncsource_tui.ui.toned import Bar

_TABS = {"open": OVERVIEW, "runs": RUNS, "logs": LOGS, "events": EVENTS, "yaml": YAML}


class FleetPage(Page):
    """The first screen."""

    PLACES = (FLEET,)
    BINDINGS: ClassVar[list[BindingType]] = bindings(FLEET)

    def __init__(self) -> None:
        super().__init__()
        self.view, self.heading = Bar(id="view"), Heading(id="heading")
        self.table = LineTable(self._cells, self._columns, heading=self.heading, marked=self._marked, id="fleet")
        self._names = columns.Extent(8, 0)
        self._second = 0
        self._late = 0, 0

    def middle(self) -> Iterable[Widget]:
        return self.view, self.heading, self.table

    def on_mount(self) -> None:
        """From the start there is a view, empty or not."""
        self.main.fleet.arrange()
        self._show_view()
        super().on_mount()
        self.focus_main()

    def focus_main(self) -> None:
        self.table.focus()

    def tick(self, delta: Delta) -> None:
        fleet, now = self.main.fleet, self.main.clock.now()
        others, second = fleet.absorb(delta, now), int(now) != self._second
        if others:
            self._show_view()
        else:
            self.table.update_rows(delta.changed)
        if second:
            self._second = int(now)
            self.table.tick()
        if others or second:
            self._late = header.late(fleet, now)
        self.draw_frame()

    def draw_frame(self) -> None:
        super().draw_frame()
        fleet = self.main.fleet
        left, right = header.view(fleet, self._late)
        self.view.show(left, right)

    def head(self) -> tuple[list[Cell], list[Cell]]:
        left, version = header.places(self.main.context, self.main.session.scope), self.version()
        if self.main.session.connection.heard_at is None:
            return left, version
        room = self.size.width - sum(width_of(cell.text) for cell in (*left, *version)) - header.LONGEST_LABEL
        counts = header.counts(self.main.fleet, room)
        return left, [*counts, Cell("   "), *version] if version else counts

    def chosen_row(self) -> Row | None:
        return self.main.fleet.row(self.table.cursor)

    def marked(self) -> int:
        return len(self.main.fleet.marks)

    def chosen_rows(self) -> Sequence[Row]:
        return self.main.fleet.chosen(self.table.cursor)

    def perform(self, action: Action, argument: str) -> None:
        self.main.fleet.touched(self.main.clock.now())
        if action.id in _TABS:
            row = self.chosen_row()
            if row is not None:
                self.app.push_screen(SourcePage(row, _TABS[action.id], self.main))
        else:
            {
                "filter": self._filter,
                "problems": self._problems,
                "sort": self._sort,
                "mark": self._mark,
                "mark_all": self._mark_all,
                "back": self._back,
            }[action.id](argument)
            self.draw_frame()

    def on_line_table_moved(self) -> None:
        """The order stands still while somebody goes through it."""
        self.main.fleet.touched(self.main.clock.now())
        self.draw_frame()

    def on_line_table_opened(self) -> None:
        """Clicked twice."""
        self.main.act("open")

    def _filter(self, argument: str) -> None:
        if argument:
            wrong = self._filter_live(argument)
            if wrong:
                self.notice(wrong, bad=True)
        else:
            self.prompt.ask("/", self.main.fleet.query.text, live=self._filter_live)

    def _filter_live(self, text: str) -> str:
        try:
            self.main.fleet.choose(query=parse(text))
        except QueryError as error:
            return str(error)
        self._show_view()
        self.draw_frame()
        return ""

    def _problems(self, _: str) -> None:
        self.main.fleet.choose(problems=not self.main.fleet.problems)
        self._show_view()

    def _sort(self, argument: str) -> None:
        sort = named(argument) if argument else after(self.main.fleet.sort)
        if sort is None:
            self.notice(f"{argument!r} is no order: {', '.join(one.name for one in SORTS)}", bad=True)
        else:
            self.main.fleet.choose(sort=sort)
            self._show_view()

    def _mark(self, _: str) -> None:
        cursor = self.table.cursor
        if cursor is not None:
            self.main.fleet.mark(cursor)
            self.table.update_rows([cursor])
            self.table.action_move(1)

    def _mark_all(self, _: str) -> None:
        self.main.fleet.mark_all()
        self.table.refresh()

    def _back(self, _: str) -> None:
        fleet = self.main.fleet
        if fleet.query.text or fleet.problems or fleet.marks:
            fleet.marks.clear()
            fleet.choose(query=parse(""), problems=False)
            self._show_view()
        else:
            self.notice("ctrl+q quits")

    def _show_view(self) -> None:
        fleet = self.main.fleet
        names = columns.extent([row for row in map(fleet.row, fleet.keys) if row is not None])
        self.table.set_view(fleet.keys)
        if names != self._names or not self.table.columns:
            self._names = names
            self.table.relay()

    def _columns(self, width: int) -> list[Column]:
        return columns.layout(width, self._names)

    def _cells(self, uid: str) -> dict[str, Cell]:
        row = self.main.fleet.row(uid)
        return columns.cells(row, self.main.clock.now()) if row else {}

    def _marked(self, uid: str) -> str:
        return MARK if uid in self.main.fleet.marks else ""
