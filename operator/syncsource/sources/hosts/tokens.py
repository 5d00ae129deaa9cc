"""Tokens in use, by what they were fetched with, and who fetches the next one."""

from __future__ import annotations

from dataclasses import dataclass

from syncsource.sources.hosts.messages import Fetch, Later, TokenIs, TokenKept, WantToken

MARGIN, SHARE = 60.0, 0.1
"""A token is given up so many seconds before its end, or at that share of its life, whichever is less."""
LOOK = 0.05
"""Seconds between looks at whether somebody else's fetch has ended."""
_MOST = 1000


@dataclass(slots=True)
class _Kept:
    text: str = ""
    until: float = 0.0
    leased_until: float = 0.0
    refresh: str | None = None


def usable(seconds: float) -> float:
    """For how long a token is used that is good for so many seconds."""
    return seconds - min(MARGIN, seconds * SHARE)


class Tokens:
    """Not thread-safe: the caller holds a lock. ``now`` is seconds on a clock that never goes back."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def want(self, asked: WantToken, now: float) -> TokenIs | Fetch | Later:
        """The token, or who fetches it: one at a time."""
        kept = self._kept.setdefault(asked.key, _Kept())
        if kept.text and now < kept.until:
            return TokenIs(text=kept.text, seconds=kept.until - now)
        if now < kept.leased_until:
            return Later(wait=LOOK)
        kept.leased_until = now + asked.lease
        return Fetch(refresh=kept.refresh)

    def keep(self, told: TokenKept, now: float) -> None:
        """A token was fetched."""
        before = self._kept.get(told.key, _Kept())
        until = now + usable(told.seconds)
        self._kept[told.key] = _Kept(told.text, until, refresh=told.refresh or before.refresh)
        if len(self._kept) > _MOST:
            self._forget(now)

    def missed(self, key: str) -> None:
        """The fetch failed."""
        if key in self._kept:
            self._kept[key].leased_until = 0.0

    def refused(self, key: str, text: str) -> None:
        """This token is good no more; one that was fetched meanwhile stays."""
        kept = self._kept.get(key)
        if kept is not None and kept.text == text:
            kept.text = ""

    def _forget(self, now: float) -> None:
        over = [key for key, kept in self._kept.items() if max(kept.until, kept.leased_until) < now and kept.refresh is None]
        for key in over:
            del self._kept[key]
