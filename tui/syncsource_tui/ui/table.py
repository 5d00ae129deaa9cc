"""A table on the line API: only the lines that are seen and that changed are drawn, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from syncsource_tui.core.columns import EMPTY, GAP, Cell, Column
from syncsource_tui.core.text import fit
from syncsource_tui.ui.toned import Bar, Toned

Cells = Mapping[str, Cell]
_GAP = Cell(" " * GAP)


class Heading(Bar):
    """The titles above a table."""

    DEFAULT_CSS = "Heading { padding: 0 0 0 1; }"

    def of(self, columns: Collection[Column]) -> None:
        """Show these columns' titles."""
        cells: list[Cell] = []
        for column in columns:
            title = fit(column.title, column.width, column.align) if column.width else column.title
            cells += [Cell(title, "dim"), _GAP]
        self.show(cells[:-1])


class LineTable(Toned, ScrollView, can_focus=True):
    """``cells`` gives a row's cells by column. The cursor is a key; ``columns`` chooses columns for a width, ``heading`` shows their titles."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"table--cursor"}
    DEFAULT_CSS = """
    LineTable { overflow-x: hidden; scrollbar-size-vertical: 1; padding: 0 0 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup,ctrl+b", "page(-1)", show=False),
        Binding("pagedown,ctrl+f", "page(1)", show=False),
        Binding("home,g", "move(-1000000000)", show=False),
        Binding("end,G", "move(1000000000)", show=False),
    ]

    class Moved(Message):
        """The cursor went to another row."""

        def __init__(self, table: LineTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> LineTable:
            """The table."""
            return self.table

    class Opened(Moved):
        """The cursor's row was clicked twice."""

    def __init__(
        self,
        cells: Callable[[str], Cells],
        columns: Callable[[int], Sequence[Column]],
        *,
        heading: Heading,
        marked: Callable[[str], str] = lambda key: "",
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.keys: Sequence[str] = ()
        self.cursor: str | None = None
        self.columns: Sequence[Column] = ()
        self.follows = False
        """Whether the cursor stays at the end."""
        self._cells, self._choose, self._marked, self._heading = cells, columns, marked, heading
        self._places: dict[str, int] = {}
        self._drawn: dict[str, tuple[Cell, ...]] = {}

    def set_view(self, keys: Sequence[str]) -> None:
        """Show these rows. The cursor stays on its key, and that where it is on the screen; where its row is gone, its place counts."""
        before = self._places.get(self.cursor) if self.cursor is not None else None
        seen = before is not None and 0 <= before - self.scroll_offset.y < self._height
        self.keys, self._places = keys, {key: place for place, key in enumerate(keys)}
        self._drawn.clear()
        self.virtual_size = Size(0, len(keys))
        self._place_cursor(before)
        after = self._places.get(self.cursor or "", 0)
        if self.follows:
            self._scroll(len(keys))
        elif seen and before is not None and after != before:
            self._scroll(max(self.scroll_offset.y + after - before, 0))
        self.refresh()

    def update_rows(self, keys: Iterable[str]) -> None:
        """Draw these anew, those of them that can be seen."""
        for key in keys:
            place = self._places.get(key)
            if place is not None and 0 <= place - self.scroll_offset.y < self._height:
                self.refresh_line(place)

    def tick(self) -> None:
        """Time has passed: draw anew the rows whose cells are others now."""
        self.update_rows([key for key in self._visible() if key in self._drawn and self._row(key) != self._drawn[key]])

    def relay(self) -> None:
        """Choose the columns anew."""
        columns = self._choose(self.scrollable_content_region.width)
        if columns != self.columns:
            self.columns = columns
            self._heading.of(columns)
        self._drawn.clear()
        self.refresh()

    def place(self, key: str) -> int | None:
        """A row's place from the top, counted from 0."""
        return self._places.get(key)

    def move_to(self, key: str) -> None:
        """Put the cursor on a row, and it on the screen."""
        if key in self._places:
            self._go(self._places[key])

    def action_move(self, by: int) -> None:
        """The cursor down, or up."""
        self._go(self._places.get(self.cursor or "", 0) + by)

    def action_page(self, by: int) -> None:
        """A screenful down, or up."""
        self.action_move(by * max(self._height - 1, 1))

    def render_line(self, y: int) -> Strip:
        """A line of the screen."""
        place, width = y + self.scroll_offset.y, self.scrollable_content_region.width
        if place >= len(self.keys):
            return Strip.blank(width, self.rich_style)
        key = self.keys[place]
        drawn = self._drawn[key] = self._row(key)
        base = self._base(key)
        return Strip(self._joined(drawn, base)).adjust_cell_length(width, base)

    def _joined(self, drawn: Sequence[Cell], base: Style) -> list[Segment]:
        return self.segments([part for cell in drawn for part in (cell, _GAP)][:-1], base)

    def _row(self, key: str) -> tuple[Cell, ...]:
        cells, taken = self._cells(key), 0
        row = []
        for column in self.columns:
            width = column.width or max(self.scrollable_content_region.width - taken, 0)
            cell = Cell(self._marked(key), "key") if column.id == "mark" else cells.get(column.id, EMPTY)
            row.append(Cell(fit(cell.text, width, column.align), cell.tone))
            taken += width + GAP
        return tuple(row)

    def _base(self, key: str) -> Style:
        return self.rich_style + self.get_component_rich_style("table--cursor", partial=True) if key == self.cursor else self.rich_style

    def _visible(self) -> Sequence[str]:
        top = self.scroll_offset.y
        return self.keys[top : top + self._height]

    @property
    def _height(self) -> int:
        return self.scrollable_content_region.height

    def _place_cursor(self, before: int | None) -> None:
        if self.cursor in self._places and not self.follows:
            return
        place = len(self.keys) - 1 if self.follows else min(before or 0, len(self.keys) - 1)
        moved = self.keys[place] if self.keys else None
        if moved != self.cursor:
            self.cursor = moved
            self.post_message(self.Moved(self))

    def _go(self, place: int) -> None:
        if not self.keys:
            return
        place = max(0, min(place, len(self.keys) - 1))
        old, self.cursor = self.cursor, self.keys[place]
        self.update_rows([key for key in (old, self.cursor) if key is not None])
        self._reveal(place)
        self.post_message(self.Moved(self))

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=y, animate=False, immediate=True, force=True)  # by force: its scrollbar may not be there yet

    def _reveal_cursor(self) -> None:
        place = self._places.get(self.cursor or "")
        if place is not None:
            self._reveal(place)

    def _reveal(self, place: int) -> None:
        top = self.scroll_offset.y
        if place < top:
            self._scroll(place)
        elif place >= top + self._height:
            self._scroll(place - self._height + 1)

    def notify_style_update(self) -> None:
        """Another theme."""
        super().notify_style_update()
        self._drawn.clear()

    def on_resize(self, event: Resize) -> None:
        """Another width may have room for other columns; the cursor stays in sight."""
        self.relay()
        self.call_after_refresh(self._reveal_cursor)

    def on_click(self, event: Click) -> None:
        """Once: the cursor; twice: open."""
        place = event.y + self.scroll_offset.y
        if place < len(self.keys):
            self._go(place)
            if event.chain == 2:
                self.post_message(self.Opened(self))
