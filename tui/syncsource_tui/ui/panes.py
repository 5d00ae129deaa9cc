"""The panes of one source. Each draws itself anew when it is told that something may be other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.containers import Vertical

from syncsource_tui.core import events, overview, runs, yamltext
from syncsource_tui.core.columns import MESSAGE, Cell, Column
from syncsource_tui.core.loglines import Line, LogBuffer
from syncsource_tui.core.reading import Object
from syncsource_tui.core.state import Tone
from syncsource_tui.core.text import fit, wrap
from syncsource_tui.core.times import Clock, date_and_time, time_of_day
from syncsource_tui.ui.lines import Lines
from syncsource_tui.ui.table import Cells, Heading, LineTable
from syncsource_tui.ui.toned import Block

_LABEL = 10


class Overview(Lines):
    """The first page."""

    def draw(self, source: Object, clock: Clock) -> None:
        """Everything, in lines that fit."""
        if self.room:
            self.show(overview.lines(source, clock, self.room - 1))


class Yaml(Lines):
    """The whole object."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._of: Object | None = None

    def draw(self, source: Object, clock: Clock) -> None:
        """Anew only where the object is another."""
        if source is not self._of:
            self._of = source
            self.show(yamltext.lines(source))


class TablePane(Vertical):
    """A table, and below it everything of the row under the cursor."""

    def __init__(self, *, id: str) -> None:
        self.said, self.heading, self.below = Block(), Heading(), Lines(classes="details")
        self.table = LineTable(self.cells, self.columns, heading=self.heading)
        super().__init__(self.said, self.heading, self.table, self.below, id=id)
        self.clock = Clock(lambda: 0.0)

    def say(self, text: str, *, bad: bool = False) -> None:
        """A line above the table; nothing, no line."""
        tone: Tone = "warn" if bad else "dim"
        width = self.table.scrollable_content_region.width
        self.said.show([[Cell(line, tone)] for line in wrap(text, width)] if text and width else [])

    def cells(self, key: str) -> Cells:
        """A row's."""
        raise NotImplementedError

    def columns(self, width: int) -> Sequence[Column]:
        """The columns of a width."""
        raise NotImplementedError

    def details(self, key: str) -> Sequence[tuple[str, str, Tone]]:
        """Everything of the row: label, value, tone."""
        raise NotImplementedError

    def show_rows(self, keys: Sequence[str]) -> None:
        """These rows; those that are there already are drawn anew where they are other."""
        if list(self.table.keys) != list(keys):
            self.table.set_view(keys)
        else:
            self.table.tick()
        self.draw_details()

    def draw_details(self) -> None:
        """Of the row under the cursor."""
        told = self.details(self.table.cursor) if self.table.cursor else ()
        width = self.table.scrollable_content_region.width
        page = [line for label, value, tone in told for line in _wrapped(label, value, tone, width)]
        self.below.show(page)
        self.below.display = bool(told)

    def on_line_table_moved(self) -> None:
        """The details are the cursor's."""
        self.draw_details()


def _wrapped(label: str, value: str, tone: Tone, width: int) -> Iterator[list[Cell]]:
    head = fit(label, _LABEL)
    for line in wrap(value, max(width - _LABEL - 1, 8)):
        yield [Cell(head, "dim"), Cell(line, tone)]
        head = " " * _LABEL


class Runs(TablePane):
    """The last ten runs, and the one under way."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._source: Object = {}

    def draw(self, source: Object, clock: Clock) -> None:
        """The runs that status tells of."""
        self._source, self.clock = source, clock
        keys = runs.keys(source)
        self.say("" if keys else "It has not run yet.")
        self.show_rows(keys)

    def cells(self, key: str) -> Cells:
        return runs.cells(self._source, key, self.clock)

    def columns(self, width: int) -> Sequence[Column]:
        return runs.columns(width)

    def details(self, key: str) -> Sequence[tuple[str, str, Tone]]:
        return runs.details(self._source, key, self.clock)


class Events(TablePane):
    """The Events of the object."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._events: dict[str, Object] = {}

    def draw(self, found: dict[str, Object], problem: str, clock: Clock) -> None:
        """What the watch holds."""
        self._events, self.clock = found, clock
        self.say(problem or ("" if found else "No Events: they are kept for an hour."), bad=bool(problem))
        self.show_rows(events.newest_first(found))

    def cells(self, key: str) -> Cells:
        return events.cells(self._events[key], self.clock) if key in self._events else {}

    def columns(self, width: int) -> Sequence[Column]:
        return events.COLUMNS

    def details(self, key: str) -> Sequence[tuple[str, str, Tone]]:
        return [(label, value, "") for label, value in events.details(self._events[key], self.clock)] if key in self._events else []


class Logs(TablePane):
    """The operator's log."""

    def __init__(self, buffer: LogBuffer, *, id: str) -> None:
        super().__init__(id=id)
        self.buffer = buffer
        self._shown: dict[str, Line] = {}
        self._drawn: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """The end is what people want to see."""
        self.table.follows = True

    def draw(self, state: str, failed: bool, clock: Clock) -> None:
        """What the buffer holds; anew only where it is other."""
        self.clock = clock
        self.say(state if failed else self._said(state), bad=failed)
        drawn = (self.buffer.count, self.buffer.everything, self.buffer.needle)
        if drawn != self._drawn:
            self._drawn = drawn
            self._shown = {str(number): line for number, line in self.buffer.shown()}
            self.table.relay()
            self.show_rows(list(self._shown))

    def follow(self, *, on: bool) -> None:
        """Whether the end stays in sight."""
        self.table.follows = on
        if on:
            self.table.set_view(self.table.keys)

    def cells(self, key: str) -> Cells:
        line = self._shown.get(key)
        if line is None:
            return {}
        return {
            "time": Cell(time_of_day(line.at, self.clock.zone), "dim"),
            "level": Cell(line.level, line.tone),
            "message": Cell(line.message, line.tone),
            "source": Cell(line.source, "dim"),
        }

    def columns(self, width: int) -> Sequence[Column]:
        whose = [Column("source", "SOURCE", min(width // 4, 32))] if self.buffer.everything else []
        return [Column("time", "TIME", 8), Column("level", "LEVEL", 7), *whose, MESSAGE]

    def details(self, key: str) -> Sequence[tuple[str, str, Tone]]:
        line = self._shown.get(key)
        if line is None:
            return ()
        more = [("Source", line.source), ("Logger", line.logger), *((label.capitalize(), value) for label, value in line.details)]
        said = [("Time", date_and_time(line.at, self.clock.zone)), ("Message", line.message), *more]
        return [(label, value, line.tone if label == "Message" else "") for label, value in said if value]

    def _said(self, state: str) -> str:
        whose = "all lines" if self.buffer.everything else f"lines of {self.buffer.source}"
        words = [state, whose, "following" if self.table.follows else "standing still"]
        return " · ".join([*words, *([f"with {self.buffer.needle!r}"] if self.buffer.needle else [])])

    def on_line_table_moved(self) -> None:
        """Who goes up wants to read; who is at the end wants what comes."""
        table = self.table
        at_end = bool(table.keys) and table.cursor == table.keys[-1]
        if not at_end:
            table.follows = False
        self.draw_details()
