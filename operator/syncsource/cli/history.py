"""``syncsource history``."""

from __future__ import annotations

import click

from syncsource.cli.connection import connected, known_names
from syncsource.cli.output import columns, emit, output_option
from syncsource.client.api import Api
from syncsource.client.requests import status
from syncsource.resource.status import HistoryEntry, format_time

HEAD = (
    "RUN",
    "TRIGGER",
    "STARTED",
    "TOOK",
    "RESULT",
    "READ",
    "INSERTED",
    "UPDATED",
    "UNCHANGED",
    "SKIPPED",
    "QUARANTINED",
    "DELETED",
    "CONFLICTS",
    "MESSAGE",
)


@click.command()
@click.argument("name", shell_complete=known_names)
@output_option
@connected
def history(api: Api, name: str, output: str) -> None:
    """The last ten runs of NAME, newest first."""
    entries = status(api.send("GET", api.sources(name))).history
    told = [entry.model_dump(by_alias=True, mode="json") for entry in entries]
    emit(told, output, lambda: columns(HEAD, list(map(_row, entries))) if entries else f"{name} has not run yet")


def _row(entry: HistoryEntry) -> tuple[str, ...]:
    counts = (entry.read, entry.inserted, entry.updated, entry.unchanged, entry.skipped, entry.quarantined, entry.deleted, entry.conflicts)
    told = entry.result != "Succeeded" or entry.quarantined or entry.partitions is not None
    message = "" if not told else f"{entry.reason}: {entry.message}".strip(": ")
    return (
        entry.id,
        entry.trigger,
        format_time(entry.started_at),
        entry.duration,
        entry.result,
        *(f"{count:,}" for count in counts),
        message[:100],
    )
