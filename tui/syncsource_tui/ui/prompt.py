"""The line in which a filter or a command is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

Typed = Callable[[str], str]
"""Takes what stands in the line; returns what is wrong with it, or nothing."""


def _accept(text: str) -> str:
    return ""


class Prompt(Horizontal):
    """Hidden until :meth:`ask`. Enter takes what was typed; escape brings back what stood there before."""

    DEFAULT_CSS = """
    Prompt { height: 1; padding: 0 1; display: none; }
    Prompt Static { width: auto; }
    Prompt Input { width: 1fr; height: 1; border: none; padding: 0; background: $background; }
    Prompt Input:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", show=False, priority=True)]

    class Wrong(Message):
        """What was typed can't be used."""

        def __init__(self, why: str) -> None:
            super().__init__()
            self.why = why

    class Closed(Message):
        """It is hidden again."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._before = ""
        self._live: Typed = _accept
        self._done: Typed = _accept

    def compose(self) -> ComposeResult:
        yield Static("", markup=False)
        yield Input(compact=True, select_on_focus=False)

    @property
    def input(self) -> Input:
        """Where it is typed."""
        return self.query_one(Input)

    def ask(self, sign: str, value: str, *, live: Typed = _accept, done: Typed = _accept, known: Iterable[str] = ()) -> None:
        """``live`` is called with each letter, ``done`` at the end: where it refuses, the line stays."""
        self._live, self._done, self._before = live, done, value
        self.query_one(Static).update(f"{sign} ")
        self.input.suggester = SuggestFromList(list(known), case_sensitive=False)
        with self.prevent(Input.Changed):
            self.input.value = value
        self.input.cursor_position = len(value)
        self.display = True
        self.input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """A letter."""
        event.stop()
        self._told(self._live(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        if not self._told(self._live(event.value) or self._done(event.value)):
            self._close()

    def action_cancel(self) -> None:
        """Escape."""
        self._live(self._before)
        self._close()

    def _told(self, wrong: str) -> bool:
        if wrong:
            self.post_message(self.Wrong(wrong))
        return bool(wrong)

    def _close(self) -> None:
        self.display = False
        self.post_message(self.Closed())
