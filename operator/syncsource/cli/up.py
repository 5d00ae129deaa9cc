"""``syncsource up``."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import click

from syncsource.cli.main import Fail
from syncsource.cli.output import columns
from syncsource.cli.permissions import permissions
from syncsource.cli.runlog import show_log
from syncsource.client.api import ApiFailed
from syncsource.standalone.assetfiles import VARIABLE
from syncsource.standalone.demo.counting import row_counts
from syncsource.standalone.outcome import await_all, failure, table
from syncsource.standalone.processes import ChildFailed
from syncsource.standalone.up import Up, brought_up


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".syncsource"),
    show_default=True,
    help="State folder.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the control plane; that of last time, or a free one, by default.")
@click.option(
    "--demo", is_flag=True, help="Also a small upstream that keeps changing, and three SyncSources. Ends by itself without a terminal."
)
@click.option("--once", is_flag=True, help="Until every SyncSource is Ready, then exit.")
@click.option("--no-operator", is_flag=True, help="The control plane alone.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Worker processes of the operator.")
@permissions
@click.option("--timeout", type=click.FloatRange(1), default=300.0, show_default=True, help="Longest wait of --once, in seconds.")
def up(
    folder: Path,
    port: int | None,
    demo: bool,
    once: bool,
    no_operator: bool,
    workers: int,
    files: str | None,
    backups: str | None,
    link_local: bool,
    timeout: float,
) -> None:
    """Embedded control plane and operator on this machine, until Ctrl-C.

    With --once: exits with 0 when every SyncSource is Ready, and with 1 where one is not, saying why.
    """
    if no_operator and (once or demo):
        raise click.UsageError("--no-operator goes with neither --once nor --demo: nothing would run")
    ends = once or (demo and not (sys.stdin.isatty() and sys.stdout.isatty()))
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        asyncio.run(_up(folder, port, demo, ends, None if no_operator else _options(workers, files, backups, link_local), timeout))
    except* (ChildFailed, ApiFailed) as failures:
        raise Fail(_first(failures)) from None


def _options(workers: int, files: str | None, backups: str | None, link_local: bool) -> tuple[str, ...]:
    """The operator's."""
    folders = [part for option, folder in (("--files", files), ("--backups", backups)) if folder for part in (option, folder)]
    return "operator", "--workers", str(workers), *folders, *(("--allow-link-local",) if link_local else ())


async def _up(folder: Path, port: int | None, demo: bool, once: bool, operator: tuple[str, ...] | None, seconds: float) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    asked = logging.getLogger("syncsource").level
    show = show_log(min(asked, logging.WARNING if once else logging.INFO), everything=asked < logging.WARNING)
    options = None if operator is None else (*(["-vv"] if asked <= logging.DEBUG else []), *operator)
    async with brought_up(folder, port=port, operator=options, demo=demo, show=show) as running:
        if once:
            click.echo(_replaced(running), nl=False, err=True)
            await _finish(running, seconds)
        else:
            click.echo(_welcome(running))
            await stop.wait()
            click.echo("stopping: runs end at their next batch", err=True)


async def _finish(running: Up, seconds: float) -> None:
    sources = await asyncio.to_thread(await_all, running.api, seconds)
    click.echo(columns(*await asyncio.to_thread(table, running.api)))
    if running.databases is not None:
        click.echo("\n" + await asyncio.to_thread(row_counts, running.databases))
    wrong = [told for told in map(failure, sources) if told]
    for told in wrong:
        click.echo(f"error: {told}", err=True)
    if wrong:
        raise SystemExit(1)


def _welcome(running: Up) -> str:
    lines = [
        f"{_replaced(running)}The control plane answers at {running.kubeconfig}; in another terminal:",
        "",
        f"  export KUBECONFIG={running.kubeconfig}",
        "  kubectl get syncsrc -w",
    ]
    if running.databases is not None:
        lines += [
            "  kubectl describe syncsrc orders",
            '  kubectl annotate syncsrc/orders syncsource.dev/requestedAt="$(date -Is)" --overwrite',
            '  kubectl patch syncsrc stores --type merge -p \'{"spec":{"suspend":true}}\'',
            "",
            f"The rows are in {running.databases.orders} (orders)",
            f"            and {running.databases.shop} (stores, products).",
        ]
    else:
        lines += ["  kubectl apply -f my-source.yaml"]
    return "\n".join([*lines, "", "Ctrl-C stops it; what is in the state folder stays."])


def _replaced(running: Up) -> str:
    """A line on what takes the embedded control plane's place; nothing where that runs itself."""
    if not running.server:
        return ""
    return f"{running.server} and etcd, from {VARIABLE}; their logs are in {Path(running.kubeconfig).parent / 'assets'}.\n"


def _first(failure: BaseException) -> str:
    return _first(failure.exceptions[0]) if isinstance(failure, BaseExceptionGroup) else str(failure)
