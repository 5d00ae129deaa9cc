"""The messages between the pool and a worker: JSON lines on the worker's standard input and output."""

from __future__ import annotations

from typing import Any

import msgspec

from syncsource.engine.plan import Outcome, Progress, RunPlan
from syncsource.sources.hosts import messages as hosts


class Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """Any message."""


class Execute(Message, frozen=True):
    """To the worker: execute this plan."""

    plan: RunPlan


class Verify(Message, frozen=True):
    """To the worker: compare the source of this plan with its table."""

    plan: RunPlan


class Act(Message, frozen=True):
    """To the worker: do with this plan's source and table what a SyncRun asks for, whose spec this is."""

    plan: RunPlan
    asked: dict[str, Any]


class Settle(Message, frozen=True):
    """To the worker: find in the ledger what became of this plan's run, whose worker is gone."""

    plan: RunPlan


class Cancel(Message, frozen=True):
    """To the worker: stop this run at the next batch."""

    run: str


class Reply(Message, frozen=True):
    """To the worker: the answer to an :class:`Ask`."""

    number: int
    answer: hosts.Answer


class Ask(Message, frozen=True):
    """From the worker: a question to the table of hosts."""

    number: int
    question: hosts.Question


class Tell(Message, frozen=True):
    """From the worker: a note for the table of hosts."""

    note: hosts.Note


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
    """From the worker: what became of a run, a verification or an action."""

    outcome: Outcome


ToWorker = Execute | Verify | Act | Settle | Cancel | Reply
FromWorker = Ask | Tell | Moved | Logged | Ended

_encoder = msgspec.json.Encoder()
to_worker = msgspec.json.Decoder(ToWorker)
from_worker = msgspec.json.Decoder(FromWorker)


def line(message: Message) -> bytes:
    """The message as one line."""
    return _encoder.encode(message) + b"\n"
