"""What every screen of the application has: a header, a banner for bad news, what becomes of changes, a prompt, and the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, cast

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from syncsource_tui.core import header
from syncsource_tui.core.actions import ACTIONS, EVERYWHERE, Action, Situation, why_not
from syncsource_tui.core.columns import Cell
from syncsource_tui.core.row import Row
from syncsource_tui.core.store import Delta
from syncsource_tui.core.text import wrap
from syncsource_tui.ui.host import Host
from syncsource_tui.ui.prompt import Prompt
from syncsource_tui.ui.toned import Bar, Block, Toned, clickable

_NOTICE_SECONDS = 6.0


def bindings(place: str) -> list[BindingType]:
    """The keys of the registry's actions for a place."""
    return [
        Binding(action.key, f"act('{action.id}')", action.label, show=False, id=action.id)
        for action in ACTIONS
        if action.place == place and action.key
    ]


class Page(Screen[None]):
    """A screen below the header. Subclasses say what is in the middle, and do the actions of their own."""

    PLACES: ClassVar[tuple[str, ...]] = ()
    BINDINGS: ClassVar[list[BindingType]] = [
        *(one for one in bindings(EVERYWHERE) if isinstance(one, Binding) and one.key not in ("ctrl+q", "ctrl+p")),
        Binding("q", "act('back')", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.header_bar, self.banner, self.activity = Bar(id="header"), Bar(id="banner"), Block(id="activity")
        self.prompt, self.footer = Prompt(id="prompt"), Footer(id="footer")
        self._notice: tuple[float, Cell] | None = None
        self._wrong: tuple[float, Cell] | None = None

    @property
    def main(self) -> Host:
        """The application."""
        return cast("Host", self.app)

    def compose(self) -> ComposeResult:
        yield from (self.header_bar, self.banner, *self.middle(), self.activity, self.prompt, self.footer)

    def middle(self) -> Iterable[Widget]:
        """What is between header and footer."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Nothing is drawn empty."""
        self.tick(Delta())

    def on_screen_resume(self) -> None:
        """What changed while another screen was in front."""
        self.tick(Delta())

    def on_resize(self) -> None:
        """Another width has room for other keys."""
        self.draw_frame()

    def tick(self, delta: Delta) -> None:
        """Ten times a second: what of the fleet changed. Draws what is other now."""
        self.draw_frame()

    def situation(self) -> Situation:
        """What decides about keys."""
        session, row = self.main.session, self.chosen_row()
        may = session.rights.may_patch(row.namespace) if row else None
        return Situation(self.places, session.connection, row, self.main.options.read_only, may, self.marked())

    @property
    def places(self) -> tuple[str, ...]:
        """Where we are, as the registry calls it."""
        return self.PLACES

    def chosen_row(self) -> Row | None:
        """The row that a key would concern."""
        return None

    def marked(self) -> int:
        """Rows that a change would concern instead."""
        return 0

    def chosen_rows(self) -> Sequence[Row]:
        """The rows that a change would concern."""
        row = self.chosen_row()
        return [row] if row else []

    def perform(self, action: Action, argument: str) -> None:
        """Do one of this screen's own actions."""

    def focus_main(self) -> None:
        """The keys go to the middle again."""

    def on_prompt_wrong(self, event: Prompt.Wrong) -> None:
        """Say why, for as long as it is typed."""
        self.notice(event.why, bad=True)
        self._wrong = self._notice

    def on_prompt_closed(self) -> None:
        """Back to the middle."""
        if self._notice is self._wrong:
            self._notice = None
        self.focus_main()

    def action_act(self, id: str) -> None:
        """A key of the registry was pressed."""
        self._notice = None
        self.main.act(id)

    def refusal(self, action: Action) -> str:
        """Why the action can't be done now; empty: it can."""
        return why_not(action, self.situation())

    def notice(self, text: str, *, bad: bool = False) -> None:
        """Say something in the line above the keys, for a while."""
        self._notice = self.main.clock.now() + _NOTICE_SECONDS, Cell(text, "bad" if bad else "key")
        self.draw_frame()

    def draw_frame(self) -> None:
        """Header, banner, activity and footer."""
        if not self.is_mounted:
            return
        main, now = self.main, self.main.clock.now()
        state = main.session.connection
        left, right = self.head()
        self.header_bar.show([*left, Cell("   "), header.connection(state, now)], right)
        why, when = state.banner(now)
        self.banner.show([Cell(why)], [Cell(f"  {when}")])
        self.banner.display = bool(why)
        self.activity.show(self._activity(now))
        self.footer.situation = self.situation()

    def head(self) -> tuple[list[Cell], list[Cell]]:
        """The header's left and right."""
        return [], []

    def version(self) -> list[Cell]:
        """At the header's right end: whether nothing may be changed, and the version."""
        mode = [Cell("read-only", "warn")] if self.main.options.read_only else []
        version = [Cell(f"v{self.main.options.version}", "dim")] if self.size.width >= 100 else []
        return [*mode, Cell("  "), *version] if mode and version else mode or version

    def _activity(self, now: float) -> list[list[Cell]]:
        width = self.size.width - 2
        asked = header.requests(self.main.requests, now, width)
        if self._notice is None or now >= self._notice[0]:
            return asked
        said = self._notice[1]
        return [*asked, *([Cell(line, said.tone)] for line in wrap(said.text, width))]


class Footer(Toned):
    """The keys that apply, as many as there is room for; each can be clicked."""

    DEFAULT_CSS = "Footer { height: 1; padding: 0 1; dock: bottom; }"

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._situation: Situation | None = None
        self._drawn: list[tuple[Action, Cell, Cell]] = []

    @property
    def situation(self) -> Situation | None:
        """What decides which keys apply."""
        return self._situation

    @situation.setter
    def situation(self, situation: Situation) -> None:
        self._situation = situation
        drawn = header.footer(situation, self.content_size.width)
        if drawn != self._drawn:
            self._drawn = drawn
            self.refresh()

    @property
    def text(self) -> str:
        """What it says."""
        return "  ".join(key.text + label.text for _, key, label in self._drawn)

    def render_line(self, y: int) -> Strip:
        """Its one line."""
        segments: list[Segment] = []
        for action, key, label in self._drawn:
            click = f"screen.act('{action.id}')"
            segments += [Segment(cell.text, clickable(self.rich_style + self.tone(cell.tone), click)) for cell in (key, label)]
            segments += [Segment("  ", self.rich_style)]
        return Strip(segments[:-1]).adjust_cell_length(self.content_size.width, self.rich_style)
