"""The messages between the pool and a worker: JSON lines on the worker's standard input and output."""

from __future__ import annotations

import msgspec

from syncsource.engine.plan import Outcome, Progress, RunPlan


class Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """Any message."""


class Execute(Message, frozen=True):
    """To the worker: execute this plan."""

    plan: RunPlan


class Settle(Message, frozen=True):
    """To the worker: find in the ledger what became of this plan's run, whose worker is gone."""

    plan: RunPlan


class Cancel(Message, frozen=True):
    """To the worker: stop this run at the next batch."""

    run: str


class Granted(Message, frozen=True):
    """To the worker: the answer to a :class:`Permit`."""

    number: int


class Permit(Message, frozen=True):
    """From the worker: may this run send one request to ``host``?"""

    number: int
    run: str
    host: str


class Moved(Message, frozen=True):
    """From the worker: how far a run has come."""

    run: str
    progress: Progress


class Logged(Message, frozen=True, kw_only=True):
    """From the worker: a log record, about a run where ``run`` is set. Holds no secret."""

    level: int
    logger: str
    message: str
    source: str | None = None
    run: str | None = None
    trace: str = ""


class Ended(Message, frozen=True):
    """From the worker: what became of a run."""

    outcome: Outcome


ToWorker = Execute | Settle | Cancel | Granted
FromWorker = Permit | Moved | Logged | Ended

_encoder = msgspec.json.Encoder()
to_worker = msgspec.json.Decoder(ToWorker)
from_worker = msgspec.json.Decoder(FromWorker)


def line(message: Message) -> bytes:
    """The message as one line."""
    return _encoder.encode(message) + b"\n"
