"""The application: a session with a control plane, the screens, and what a key does."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar

from rich.segment import Segments
from rich.traceback import Traceback
from textual.app import App
from textual.binding import Binding, BindingType
from textual.command import Provider

from syncsource_tui.core import plans
from syncsource_tui.core.actions import BY_ID, Action, command, find
from syncsource_tui.core.failures import Failure
from syncsource_tui.core.fleet import Fleet
from syncsource_tui.core.options import Options
from syncsource_tui.core.plans import Change, Plan
from syncsource_tui.core.requests import Request, is_over
from syncsource_tui.core.row import Row
from syncsource_tui.core.text import clean
from syncsource_tui.core.times import Clock
from syncsource_tui.kube.changing import send
from syncsource_tui.kube.session import Session
from syncsource_tui.ui.fleet import FleetPage
from syncsource_tui.ui.help import Help
from syncsource_tui.ui.page import Page
from syncsource_tui.ui.palette import ActionProvider
from syncsource_tui.ui.plandialog import PlanDialog
from syncsource_tui.ui.reasondialog import ReasonDialog
from syncsource_tui.ui.theme import CSS as STYLES
from syncsource_tui.ui.theme import THEME

_TICK = 0.1
"""Seconds between two looks at what changed."""


class SyncSourceApp(App[None]):
    """Watches and steers the SyncSources of a session. ``clock`` tells the time."""

    CSS = STYLES
    TITLE = "SyncSource"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", show=False, priority=True)]

    def __init__(self, session: Session, *, options: Options, clock: Clock) -> None:
        super().__init__(ansi_color="NO_COLOR" in os.environ or None)  # or it would turn the terminal's own colours into greys
        self.session, self.options, self.clock = session, options, clock
        self.fleet = Fleet(session.store)
        self.context = ""
        self.requests: list[Request] = []
        self.register_theme(THEME)
        self.theme = "ansi-dark" if self.no_color else THEME.name
        self.animation_level = "none"
        self.set_class(options.ascii, "-ascii")

    def on_mount(self) -> None:
        """Connect, and look at what comes."""
        self.run_worker(self.session.run(), group="session")
        self.push_screen(FleetPage())
        self.set_interval(_TICK, self.tick)

    def _fatal_error(self) -> None:
        """Without the values of variables, as Textual would print them: among them are tokens."""
        self.bell()
        self._exit_renderables.append(Segments(self.console.render(Traceback(show_locals=False), self.console.options)))
        self._close_messages_no_wait()

    def tick(self) -> None:
        """Take what changed; the screen in front draws it."""
        delta, now = self.session.store.take(), self.clock.now()
        if self.session.client is not None:
            self.context = clean(self.session.client.context)
        self._follow_requests(now)
        front = next((screen for screen in reversed(self.screen_stack) if isinstance(screen, Page)), None)
        if isinstance(front, FleetPage):
            front.tick(delta)
        else:
            self.fleet.absorb(delta, now)
            if front is not None:
                front.tick(delta)

    def act(self, id: str, argument: str = "") -> None:
        """Do what the registry calls ``id``, or say why not."""
        page, action = self.page, BY_ID[id]
        if page is None:
            return
        why = page.refusal(action)
        if why:
            page.notice(f"{action.label}: {why}", bad=True)
        elif id in self._own:
            self._own[id]()
        elif action.changes:
            self._change(action, page)
        else:
            page.perform(action, argument)

    @property
    def page(self) -> Page | None:
        """The screen in front, if no dialog is."""
        return self.screen if isinstance(self.screen, Page) else None

    @property
    def _own(self) -> dict[str, Callable[[], object]]:
        return {
            "help": self._help,
            "command": self._command,
            "palette": self.action_command_palette,
            "retry": self.session.poke,
            "theme": self.action_change_theme,
            "quit": self.exit,
        }

    def _help(self) -> None:
        if self.page is not None:
            self.push_screen(Help(self.page.situation()))

    def _command(self) -> None:
        page = self.page
        if page is not None:
            known = [command(action) for action in BY_ID.values() if not page.refusal(action)]
            page.prompt.ask(":", "", done=partial(self._commanded, page), known=known)

    def _commanded(self, page: Page, text: str) -> str:
        name, _, argument = text.strip().removeprefix(":").partition(" ")
        if not name:
            return ""
        action = find(name, page.places)
        if action is None:
            return f"{clean(name)!r} is no command here, or more than one begins so; ? lists them all"
        if argument and not action.argument:
            return f"{command(action)} takes nothing after its name"
        self.call_later(self.act, action.id, argument.strip())
        return ""

    def _change(self, action: Action, page: Page) -> None:
        rows = page.chosen_rows()
        change = {"trigger": Change.TRIGGER, "full": Change.FULL}.get(action.id) or plans.change_of_pause(rows)
        self.run_worker(self._planned(change, rows), group="plan")

    async def _planned(self, change: Change, rows: Sequence[Row]) -> None:
        reason = ""
        if change is Change.PAUSE:
            asked = await self.push_screen_wait(ReasonDialog(plans.plan(change, rows, context="", token="").title))
            if asked is None:
                return
            reason = asked
        plan = plans.plan(change, rows, context=self.context, token=self._token(), reason=reason)
        hidden = sum(not self.fleet.shows(row) for row in rows) if self.fleet.marks else 0
        if await self.push_screen_wait(PlanDialog(plan, hidden=hidden)):
            await self._send(plan)

    async def _send(self, plan: Plan) -> None:
        now = self.clock.now()
        requests = [Request(plan, target, now) for target in plan.targets]
        for request in [one for one in self.requests if one.step.is_end]:
            self._drop(request)
        self.requests += requests
        self.fleet.marks.clear()
        if isinstance(self.screen, FleetPage):
            self.screen.table.refresh()
        for request in requests:
            self.session.store.follow(request.target.uid)
        try:
            await send(self.session.required(), requests, self.session.store, self.clock.now)
        except Failure as failure:
            for request in requests:
                request.fail(failure.message, self.clock.now())

    def _follow_requests(self, now: float) -> None:
        store = self.session.store
        for request in self.requests:
            source = store.object(request.target.uid)
            if source is not None:
                request.see(source, now)
            elif self.session.connection.is_live and request.target.uid not in store.rows:
                request.gone(now)
        for request in [one for one in self.requests if is_over(one, now)]:
            self._drop(request)

    def _drop(self, request: Request) -> None:
        self.session.store.unfollow(request.target.uid)
        self.requests.remove(request)

    def _token(self) -> str:
        """A value that no other request has: an instant, to six random places."""
        return f"{datetime.fromtimestamp(self.clock.now(), UTC):%Y-%m-%dT%H:%M:%S}.{secrets.randbelow(10**6):06}Z"
