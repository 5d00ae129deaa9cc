"""Colours, and where things are."""

from textual.theme import Theme

THEME = Theme(
    name="syncsource",
    primary="#6cb6ff",
    secondary="#b083f0",
    warning="#e0b252",
    error="#f47067",
    success="#6bc46d",
    accent="#6cb6ff",
    foreground="#d3d9e0",
    background="#14181d",
    surface="#1b2128",
    panel="#28313b",
    dark=True,
)

CSS = """
Screen { background: $background; color: $foreground; layers: base; }
ModalScreen { align: center middle; background: $background 60%; }

.tone--good { color: $success; }
.tone--bad { color: $error; }
.tone--warn { color: $warning; }
.tone--busy { color: $accent; }
.tone--key { color: $accent; text-style: bold; }
.tone--dim { text-style: dim; }
.tone--strong { text-style: bold; }
.table--cursor { background: $panel; }
*:nocolor .table--cursor { text-style: reverse; }
.table--cursor:ansi { text-style: reverse; }

#header { background: $surface; }
#banner { background: $warning; color: $background; text-style: bold; display: none; }
#view, Heading, #tabs { background: $background; }
#fleet { height: 1fr; }
Footer { background: $surface; }
Activity { background: $surface; }

#panes { height: 1fr; }
TablePane { height: 1fr; }
TablePane LineTable { height: 1fr; }
TablePane .details { height: auto; max-height: 50%; border-top: solid $panel; }

#dialog { width: 100%; max-width: 96; margin: 0 2; height: auto; max-height: 90%; border: round $accent; background: $surface; padding: 0 2; }
#facts { height: auto; max-height: 15; margin-top: 1; }
#dialog .fact { height: auto; margin-bottom: 0; }
#dialog .label { width: 11; text-style: dim; }
#dialog .value { width: 1fr; height: auto; }
#dialog .ask { height: 1; margin-top: 1; }
#dialog .ask Static { width: auto; }
#dialog .hint { margin-bottom: 1; }
#dialog Input { height: 1; border: none; background: $panel; padding: 0 1; }
#dialog .hint { margin-top: 1; text-style: dim; }
.-ascii #dialog, .-ascii #help { border: ascii $accent; }
.-ascii TablePane .details { border-top: ascii $panel; }
#buttons { height: 1; margin: 1 0; align-horizontal: right; }
#buttons Button { margin-left: 2; min-width: 12; }
#help { width: 100%; max-width: 104; margin: 0 2; height: 90%; border: round $accent; background: $surface; padding: 0 1; }
"""
