"""What a change will do, before it is done. The focus is on Cancel."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from syncsource_tui.core.plans import Plan, effect, kubectl
from syncsource_tui.core.text import in_ascii

_COMMANDS = 3
"""Commands shown; there is one for each namespace."""


class PlanDialog(ModalScreen[bool]):
    """True: go on. One key is enough, or a name or number has to be typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "confirm", show=False),
        Binding("escape,q,n", "cancel", show=False),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, plan: Plan, *, hidden: int = 0) -> None:
        """``hidden``: of the marked rows, how many the filter hides."""
        super().__init__()
        self.plan, self._hidden = plan, hidden

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog") as dialog:
            dialog.border_title = Content(self.plan.title)
            with VerticalScroll(id="facts", can_focus=False):
                for label, text in self._facts():
                    with Horizontal(classes="fact"):
                        yield Static(label, classes="label", markup=False)
                        yield Static(text, classes="value", markup=False)
            if self.plan.typed:
                with Horizontal(classes="ask"):
                    yield Static(f"Type {self.plan.typed} to confirm: ", markup=False)
                    yield Input(id="typed", compact=True)
            with Horizontal(id="buttons"):
                yield Button("Cancel  esc", id="cancel", compact=True)
                yield Button(
                    self.plan.change.value + ("" if self.plan.typed else "  y"), id="confirm", compact=True, disabled=bool(self.plan.typed)
                )

    def on_mount(self) -> None:
        """Enter does nothing by mistake."""
        self.query_one("#cancel" if not self.plan.typed else "#typed").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """The button waits for the right word."""
        self.query_one("#confirm", Button).disabled = not self._typed_right(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter confirms once the right word is there, and nothing before."""
        if self._typed_right(event.value):
            self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Either one."""
        self.dismiss(event.button.id == "confirm")

    def action_confirm(self) -> None:
        """One key, where that is enough."""
        if not self.plan.typed:
            self.dismiss(True)

    def action_cancel(self) -> None:
        """Nothing happens."""
        self.dismiss(False)

    def _typed_right(self, text: str) -> bool:
        return text.strip().replace(",", "") == self.plan.typed

    def _facts(self) -> list[tuple[str, str]]:
        plan = self.plan
        commands = kubectl(plan)
        shown = [*commands[:_COMMANDS], *([f"… and {len(commands) - _COMMANDS} more commands"] if len(commands) > _COMMANDS else [])]
        facts = [("Context", plan.context), ("Namespace", plan.places), ("Object" if len(plan.targets) == 1 else "Objects", plan.objects)]
        facts += [("Reason", plan.reason)] if plan.reason else []
        facts += [("Effect", "\n".join(effect(plan)))]
        facts += [("Hidden", f"{self._hidden:,} of them are marked, but not shown by the filter")] if self._hidden else []
        facts += [("kubectl", "\n".join(shown))]
        return [(label, in_ascii(text)) for label, text in facts] if self.app.has_class("-ascii") else facts
