"""``syncsource sync``, ``suspend`` and ``resume``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click

from syncsource.cli.connection import choosing, connected
from syncsource.cli.output import emit, output_option
from syncsource.client import requests
from syncsource.client.api import Api
from syncsource.resource.status import HistoryEntry, SyncSourceStatus
from syncsource.resource.types import parse_duration

Chosen = Callable[[Api], list[str]]
_AT_ONCE = 16
"""Outcomes waited for at a time: one watch each."""


def seconds(_: Any, __: Any, text: str) -> float:
    """The callback of an option that is a duration."""
    try:
        return float(parse_duration(text).total_seconds())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@choosing
@click.option("--no-wait", is_flag=True, help="Return as soon as the run is requested.")
@click.option("--timeout", default="10m", show_default=True, callback=seconds, help="How long to wait for the outcome.")
@output_option
@connected
def sync(api: Api, chosen: Chosen, no_wait: bool, timeout: float, output: str) -> None:
    """Request a run and wait for its outcome.

    Exits with 0 where every run succeeded, 1 where one failed, was refused or did not end in time.
    """
    asked = [requests.ask(api, name) for name in chosen(api)]
    if no_wait:
        emit(
            [{"name": one.name, "requestedAt": one.token} for one in asked],
            output,
            lambda: "\n".join(f"{one.name}: requested" for one in asked),
        )
        return
    with ThreadPoolExecutor(_AT_ONCE) as waiting:
        entries = list(waiting.map(lambda one: requests.wait_for(api, one, timeout, _shower(one.name)), asked))
    told = [(one.name, entry) for one, entry in zip(asked, entries, strict=True)]
    emit([_result(name, entry) for name, entry in told], output, lambda: "\n".join(_line(name, entry, timeout) for name, entry in told))
    raise SystemExit(0 if all(entry is not None and entry.result == "Succeeded" for entry in entries) else 1)


@click.command()
@choosing
@click.option("--reason", default="", help="Shown with the Suspended condition.")
@connected
def suspend(api: Api, chosen: Chosen, reason: str) -> None:
    """Stop scheduled and requested runs. A run under way ends first."""
    for name in chosen(api):
        requests.suspend(api, name, reason)
        click.echo(f"{name}: suspended" + (f" ({reason})" if reason else ""))


@click.command()
@choosing
@connected
def resume(api: Api, chosen: Chosen) -> None:
    """Undo suspend. What was missed or refused meanwhile does not run later."""
    for name in chosen(api):
        requests.resume(api, name)
        click.echo(f"{name}: resumed")


def _shower(name: str) -> Callable[[SyncSourceStatus], None]:
    """Tells on a terminal how far the run has come."""
    if not sys.stderr.isatty():
        return lambda status: None
    said = ""

    def show(status: SyncSourceStatus) -> None:
        nonlocal said
        text = f"{name}: running, {status.current_run.read:,} read" if status.current_run else f"{name}: requested"
        if text != said:
            click.echo(text, err=True)
            said = text

    return show


def _result(name: str, entry: HistoryEntry | None) -> dict[str, Any]:
    return {"name": name, "run": entry.model_dump(by_alias=True, mode="json") if entry else None}


def _line(name: str, entry: HistoryEntry | None, timeout: float) -> str:
    if entry is None:
        return f"{name}: no outcome within {timeout:g} s; is an operator running? The request stands"
    return f"{name}: {entry.result}: " + (entry.message if entry.result == "Succeeded" else f"{entry.reason}: {entry.message}")
