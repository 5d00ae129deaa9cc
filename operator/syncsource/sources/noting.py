"""What a source finds out on its way to the first page, for a person who tests a connection: nobody listens in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str, str], None]
"""Is told a step's name (Address, Connection, TLS, Answer) and what was found. Texts without secrets."""

_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """What this thread's sources note inside the block goes to ``listener``."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def note(step: str, found: Callable[[], str]) -> None:
    """A step was taken. ``found`` says what came of it, and is asked only where somebody listens."""
    listener = _listener.get()
    if listener is not None:
        listener(step, found())
