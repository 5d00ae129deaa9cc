"""What a source calls before and after its requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncsource.errors import AbortedError, PermanentError, RetryableError
from syncsource.sources.hosts.messages import (
    Answer,
    Answered,
    Enter,
    Failed,
    Fetch,
    Go,
    Later,
    Note,
    Paused,
    Question,
    Refused,
    TokenIs,
    TokenKept,
    TokenMissed,
    TokenRefused,
    WantToken,
)
from syncsource.sources.hosts.table import CIRCUIT_OPEN, LONGEST_PAUSE, HostTable
from syncsource.sources.hosts.tokens import usable


@dataclass(frozen=True, slots=True)
class Token:
    """What a token endpoint gave."""

    text: str
    seconds: float
    """How long it is good for."""
    refresh: str | None = None
    """The refresh token that takes the last one's place."""

    def __repr__(self) -> str:
        return "Token()"


class Hosts:
    """One run's way to what all runs share. ``ask`` and ``tell`` are those of a :class:`HostTable`, wherever it is."""

    def __init__(
        self, ask: Callable[[Question], Answer], tell: Callable[[Note], None], cancelled: threading.Event, *, link_local: bool = False
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._cancelled = cancelled
        self.link_local = link_local
        """Whether link-local and cloud metadata addresses may be asked, as whoever started this process decided."""

    @contextmanager
    def visit(
        self, host: str, port: int, *, patience: float, lease: float, failing: Callable[[BaseException], str | None]
    ) -> Iterator[None]:
        """Around one request: waits until it may be sent, and tells how it ended.

        ``patience``: the longest pause of the host to sit out, in seconds. ``lease``: the longest time that the request
        takes. ``failing``: the reason, where an error says that the host is in trouble; an empty text where it does
        not; None where it says nothing of the host.

        Raises RetryableError: CircuitOpen, RateLimited, with ``after``; AbortedError (Cancelled).
        """
        report = self._enter(Enter(host=host, port=port, patience=patience, lease=lease))
        try:
            yield
        except BaseException as error:
            reason = failing(error)
            if reason:
                self._tell(Failed(host=host, port=port, reason=reason))
            elif reason is not None and report and isinstance(error, PermanentError | RetryableError):
                self._tell(Answered(host=host, port=port))
            raise
        if report:
            self._tell(Answered(host=host, port=port))

    def pause(self, host: str, port: int, seconds: float) -> None:
        """The host wants no request for so many seconds."""
        if seconds > 0:
            self._tell(Paused(host=host, port=port, seconds=min(seconds, LONGEST_PAUSE)))  # JSON knows no infinity

    def token(self, key: str, lease: float, fetch: Callable[[str | None], Token]) -> str:
        """The text of what :meth:`lend` returns."""
        return self.lend(key, lease, fetch).text

    def lend(self, key: str, lease: float, fetch: Callable[[str | None], Token]) -> Token:
        """The token that ``key`` (a hash of what it is fetched with) stands for: the one in use, or what ``fetch`` returns.

        Of many runs that want it, one fetches, within ``lease`` seconds. ``fetch`` is given the refresh token that
        replaced the declared one, if one did. What is returned may be used for its ``seconds``. Raises what ``fetch`` raises; AbortedError (Cancelled).
        """
        while True:
            answer = self._ask(WantToken(key=key, lease=lease))
            if isinstance(answer, TokenIs):
                return Token(answer.text, answer.seconds)
            if isinstance(answer, Fetch):
                return self._fetched(key, fetch, answer.refresh)
            assert isinstance(answer, Later)
            self._wait(answer.wait, "a token")

    def refuse(self, key: str, text: str) -> None:
        """The upstream does not take this token: the next one who wants it fetches anew."""
        self._tell(TokenRefused(key=key, text=text))

    def _fetched(self, key: str, fetch: Callable[[str | None], Token], refresh: str | None) -> Token:
        try:
            token = fetch(refresh)
        except BaseException:
            self._tell(TokenMissed(key=key))
            raise
        self._tell(TokenKept(key=key, text=token.text, seconds=token.seconds, refresh=token.refresh))
        return Token(token.text, usable(token.seconds))

    def _enter(self, question: Enter) -> bool:
        """Returns whether success has to be told, too."""
        while True:
            answer = self._ask(question)
            if isinstance(answer, Refused):
                raise _refusal(f"{question.host}:{question.port}", answer)
            assert isinstance(answer, Go | Later)
            self._wait(answer.wait, f"the rate limit of {question.host}")
            if isinstance(answer, Go):
                return answer.report

    def _wait(self, seconds: float, what: str) -> None:
        if self._cancelled.wait(seconds) if seconds > 0 else self._cancelled.is_set():
            raise AbortedError(f"cancelled while waiting for {what}", reason="Cancelled")


def local_hosts(cancelled: threading.Event, table: HostTable | None = None, *, link_local: bool = False) -> Hosts:
    """On a table of this process, or on one of its own."""
    table = table or HostTable()
    return Hosts(table.ask, table.tell, cancelled, link_local=link_local)


def _refusal(place: str, answer: Refused) -> RetryableError:
    if answer.reason == CIRCUIT_OPEN:
        said = (
            f"{place} failed {answer.failures} times in a row, the last time of {answer.last}: "
            f"nothing is sent there for another {answer.after:.0f}s"
        )
    else:
        said = f"{place} asked for a pause, of which {answer.after:.0f}s are left"
    return RetryableError(said, reason=answer.reason, after=answer.after)
