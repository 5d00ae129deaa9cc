"""Widgets that draw cells of text by what they mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from syncsource_tui.core.columns import Cell
from syncsource_tui.core.text import fit, in_ascii, width_of

TONES = ("good", "bad", "warn", "busy", "dim", "strong", "key")


class Toned(Widget):
    """Knows the style of each tone."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"tone--{tone}" for tone in TONES}

    def tone(self, name: str) -> Style:
        """What a tone adds to the widget's style."""
        return self.get_component_rich_style(f"tone--{name}", partial=True) if name else Style.null()

    def segments(self, cells: Iterable[Cell], base: Style) -> list[Segment]:
        """The cells, one after another."""
        plain = self.app.has_class("-ascii")
        return [Segment(in_ascii(cell.text) if plain else cell.text, base + self.tone(cell.tone)) for cell in cells if cell.text]


class Bar(Toned):
    """One line with something at its left and something at its right; what has no room at the left is cut, with an ellipsis."""

    DEFAULT_CSS = "Bar { height: 1; padding: 0 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._left: tuple[Cell, ...] = ()
        self._right: tuple[Cell, ...] = ()

    def show(self, left: Sequence[Cell], right: Sequence[Cell] = ()) -> None:
        """Draw these from now on."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    @property
    def text(self) -> str:
        """What it says, without spaces at its ends."""
        left, right = ("".join(cell.text for cell in cells) for cells in (self._left, self._right))
        return f"{left}  {right}".strip()

    def render_line(self, y: int) -> Strip:
        """Its one line."""
        width, base = self.content_size.width, self.rich_style
        room = width - sum(width_of(cell.text) for cell in self._right)
        right = self._right if room > 0 else ()
        left = cut(self._left, room if right else width)
        segments = [*self.segments(left, base), *self.segments(right, base)]
        return Strip(segments).adjust_cell_length(width, base)


class Block(Toned):
    """Lines that take the room they need, and none where there is nothing to tell."""

    DEFAULT_CSS = "Block { height: auto; max-height: 6; padding: 0 1; display: none; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: list[list[Cell]] = []

    def show(self, lines: list[list[Cell]]) -> None:
        """Draw these from now on."""
        if lines == self._lines:
            return
        grown, self._lines = len(lines) != len(self._lines), lines
        self.styles.height = len(lines)
        self.display = bool(lines)
        self.refresh(layout=grown)

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join("".join(cell.text for cell in line).rstrip() for line in self._lines)

    def render_line(self, y: int) -> Strip:
        """One of its lines."""
        width = self.content_size.width
        cells = self._lines[y] if y < len(self._lines) else []
        return Strip(self.segments(cut(cells, width), self.rich_style)).adjust_cell_length(width, self.rich_style)


def cut(cells: Iterable[Cell], width: int) -> list[Cell]:
    """The cells in exactly ``width`` cells of the terminal."""
    kept: list[Cell] = []
    for cell in cells:
        size = width_of(cell.text)
        if size >= width:
            return [*kept, Cell(fit(cell.text, width), cell.tone)]
        kept.append(cell)
        width -= size
    return [*kept, Cell(" " * width)]


def clickable(style: Style, action: str) -> Style:
    """The style, with what a click does."""
    return style + Style.from_meta({"@click": action})
