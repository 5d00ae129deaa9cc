"""Text to scroll through: lines of cells, no cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from syncsource_tui.core.columns import Cell
from syncsource_tui.ui.toned import Toned, cut


class Lines(Toned, ScrollView, can_focus=True):
    """Draws only the lines that are seen."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Lines { overflow-x: hidden; scrollbar-size-vertical: 1; padding: 0 0 0 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", show=False),
        Binding("k", "scroll_up", show=False),
        Binding("g", "scroll_home", show=False),
        Binding("G", "scroll_end", show=False),
        Binding("ctrl+f", "page_down", show=False),
        Binding("ctrl+b", "page_up", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.page: Sequence[Sequence[Cell]] = ()

    @property
    def room(self) -> int:
        """Cells of a line."""
        return self.scrollable_content_region.width

    def show(self, page: Sequence[Sequence[Cell]]) -> None:
        """Draw these from now on; where it was scrolled to stays."""
        if page != self.page:
            self.page = page
            self.virtual_size = Size(0, len(page))
            self.refresh()

    @property
    def text(self) -> str:
        """Everything it says, seen or not."""
        return "\n".join("".join(cell.text for cell in line).rstrip() for line in self.page)

    def render_line(self, y: int) -> Strip:
        """A line of the screen."""
        place, width = y + self.scroll_offset.y, self.room
        cells = self.page[place] if place < len(self.page) else ()
        return Strip(self.segments(cut(cells, width), self.rich_style)).adjust_cell_length(width, self.rich_style)
