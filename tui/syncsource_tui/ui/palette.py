"""The palette: the registry again, to search in."""

from __future__ import annotations

from collections.abc import Callable

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from syncsource_tui.core.actions import ACTIONS, Action, applies, key_name
from syncsource_tui.ui.page import Page


class ActionProvider(Provider):
    """What can be done on the screen below."""

    async def discover(self) -> Hits:
        for action in self._possible():
            yield DiscoveryHit(Content(self._title(action)), self._doing(action), text=self._title(action), help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action in self._possible():
            title = self._title(action)
            score = max(matcher.match(title), matcher.match(action.help))
            if score > 0:
                yield Hit(score, matcher.highlight(title), self._doing(action), text=title, help=action.help)

    def _possible(self) -> list[Action]:
        page = self.screen
        if not isinstance(page, Page):
            return []
        return [action for action in ACTIONS if action.id != "palette" and applies(action, page.places) and not page.refusal(action)]

    def _title(self, action: Action) -> str:
        return f"{action.label}  {key_name(action)}".rstrip()

    def _doing(self, action: Action) -> Callable[[], None]:
        page = self.screen
        assert isinstance(page, Page)
        return lambda: page.main.act(action.id)
