"""What is asked of the table and told to it. All of it crosses a process border as JSON."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Any of them."""


class Enter(Message, frozen=True, kw_only=True):
    """Question: may one request be sent? Answers: Go, Later, Refused."""

    host: str
    port: int
    patience: float
    """The longest pause of the host, in seconds, that the run would rather sit out than fail of."""
    lease: float
    """Seconds after which the request is over, whatever became of it."""


class WantToken(Message, frozen=True, kw_only=True):
    """Question: a token that is good for what ``key`` stands for. Answers: TokenIs, Fetch, Later."""

    key: str
    lease: float
    """Seconds that a fetch may take."""


class Go(Message, frozen=True, kw_only=True):
    """Answer: send it after so many seconds."""

    wait: float = 0.0
    report: bool = False
    """Whether success has to be told, too."""


class Later(Message, frozen=True, kw_only=True):
    """Answer: ask again after so many seconds."""

    wait: float


class Refused(Message, frozen=True, kw_only=True):
    """Answer: no, and why."""

    reason: str
    """CircuitOpen or RateLimited."""
    after: float
    """Seconds until it makes sense to ask again."""
    failures: int = 0
    """Failures in a row."""
    last: str = ""
    """The reason of the last failure."""


class TokenIs(Message, frozen=True, kw_only=True):
    """Answer: a token that was fetched before."""

    text: str
    seconds: float
    """For how long it may be used."""

    def __repr__(self) -> str:
        return "TokenIs()"


class Fetch(Message, frozen=True, kw_only=True):
    """Answer: fetch one, and tell: TokenKept or TokenMissed."""

    refresh: str | None = None
    """The refresh token that came with the last one, where it was replaced."""

    def __repr__(self) -> str:
        return "Fetch()"


class Answered(Message, frozen=True, kw_only=True):
    """Note: the host answered."""

    host: str
    port: int


class Failed(Message, frozen=True, kw_only=True):
    """Note: the host gave no answer, or one of status 5xx."""

    host: str
    port: int
    reason: str


class Paused(Message, frozen=True, kw_only=True):
    """Note: the host asks for a pause of so many seconds."""

    host: str
    port: int
    seconds: float


class TokenKept(Message, frozen=True, kw_only=True):
    """Note: a token was fetched."""

    key: str
    text: str
    seconds: float
    """How long it is good for, from now on."""
    refresh: str | None = None
    """The refresh token that takes the last one's place."""

    def __repr__(self) -> str:
        return "TokenKept()"


class TokenMissed(Message, frozen=True, kw_only=True):
    """Note: the fetch failed; somebody else may try."""

    key: str


class TokenRefused(Message, frozen=True, kw_only=True):
    """Note: the upstream does not take this token (any more)."""

    key: str
    text: str

    def __repr__(self) -> str:
        return "TokenRefused()"


Question = Enter | WantToken
Answer = Go | Later | Refused | TokenIs | Fetch
Note = Answered | Failed | Paused | TokenKept | TokenMissed | TokenRefused
