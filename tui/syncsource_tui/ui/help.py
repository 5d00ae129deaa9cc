"""The help page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from syncsource_tui.core.actions import Situation
from syncsource_tui.core.helptext import lines
from syncsource_tui.ui.lines import Lines


class Help(ModalScreen[None]):
    """Every key of the application, and why some can't be used now."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark", "dismiss", show=False)]

    def __init__(self, situation: Situation) -> None:
        super().__init__()
        self._situation = situation

    def compose(self) -> ComposeResult:
        page = Lines(id="help")
        page.border_title = "Help"
        page.border_subtitle = "esc Back"
        yield page

    def on_mount(self) -> None:
        """The keys scroll it."""
        self.query_one(Lines).focus()

    def on_resize(self) -> None:
        """Draw it, as wide as there is room."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        page = self.query_one(Lines)
        page.show(lines(self._situation, page.room - 1))
