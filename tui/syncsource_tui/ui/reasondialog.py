"""Asks why something is paused."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

LONGEST = 256


class ReasonDialog(ModalScreen[str | None]):
    """The reason, which may be empty; None: never mind."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False)]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(self._title)
            yield Static("Why? Everybody sees the reason, in kubectl describe too.", markup=False)
            yield Input(id="reason", compact=True, max_length=LONGEST)
            yield Static("enter Go on   esc Cancel", classes="hint", markup=False)

    def on_mount(self) -> None:
        """Type at once."""
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the plan."""
        self.dismiss(event.value.strip())

    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(None)
