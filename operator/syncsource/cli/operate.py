"""``syncsource operator``."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial

import click
from kubernetes.aio.config import ConfigException

from syncsource.cli.main import Fail
from syncsource.cli.permissions import permissions
from syncsource.client.api import kubeconfig_of
from syncsource.controller.health import Health, serving
from syncsource.controller.metrics import Metrics, serving_metrics
from syncsource.controller.operating import operate
from syncsource.engine.connecting import LEAST
from syncsource.runner.logs import write_log
from syncsource.runner.pool import CONNECTIONS, WorkerPool
from syncsource.sources.files import Files


def _address(context: click.Context, option: click.Parameter, value: str | None) -> tuple[str | None, int] | None:
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not an address such as :8081 or 127.0.0.1:8081")
    return host.strip("[]") or None, int(port)


@click.command()
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Run the SyncSources of this namespace. Repeatable.")
@click.option("-A", "--all-namespaces", is_flag=True, help="Run those of all namespaces. The default.")
@click.option("--kubeconfig", help="As kubectl's; inside a cluster the service account is used.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--cluster", help="Name of this cluster in the ledger; the uid of kube-system by default.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="Worker processes.")
@click.option(
    "--max-connections",
    "connections",
    type=click.IntRange(LEAST, 10_000),
    default=CONNECTIONS,
    show_default=True,
    help="To one database, of all runs together: others wait, and runs with partitions have fewer under way.",
)
@permissions
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    default="auto",
    show_default=True,
    help="Of the log on standard error; auto: text on a terminal, else JSON lines.",
)
@click.option(
    "--health", metavar="[HOST]:PORT", callback=_address, help="Answer /healthz and /readyz there; on all addresses without a host."
)
@click.option("--metrics", metavar="[HOST]:PORT", callback=_address, help="Answer /metrics there, for Prometheus.")
@click.option("--child", is_flag=True, hidden=True, help="End when standard input does: when the parent process is gone.")
@click.option("--grace", type=click.FloatRange(0), default=20.0, show_default=True, help="Seconds that runs have to stop at SIGTERM.")
def operator(
    namespaces: tuple[str, ...],
    all_namespaces: bool,
    kubeconfig: str | None,
    context: str | None,
    cluster: str | None,
    workers: int,
    connections: int,
    files: str | None,
    backups: str | None,
    link_local: bool,
    log_format: str,
    health: tuple[str | None, int] | None,
    metrics: tuple[str | None, int] | None,
    child: bool,
    grace: float,
) -> None:
    """The operator against the current kubeconfig, until SIGTERM or Ctrl-C."""
    if namespaces and all_namespaces:
        raise click.UsageError("--namespace and --all-namespaces exclude each other")
    write_log(_form(log_format), min(logging.getLogger("syncsource").level, logging.INFO))
    if child:
        _end_with_parent()
    runner = WorkerPool(workers, files=Files(folder=files, backups=backups), link_local=link_local, connections=connections)
    try:
        asyncio.run(_operate(namespaces, kubeconfig_of(kubeconfig), context, cluster, runner, grace, health, metrics))
    except ConfigException as error:
        raise Fail(f"no control plane: {error}; start one with `syncsource up`, or give --kubeconfig") from None


async def _operate(
    namespaces: tuple[str, ...],
    kubeconfig: str | None,
    context: str | None,
    cluster: str | None,
    runner: WorkerPool,
    grace: float,
    probes: tuple[str | None, int] | None,
    scrapes: tuple[str | None, int] | None,
) -> None:
    stop, health, metrics = asyncio.Event(), Health(), Metrics()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        _answering("--health", partial(serving, health), probes),
        _answering("--metrics", partial(serving_metrics, metrics), scrapes),
    ):
        await operate(
            runner=runner,
            namespaces=namespaces or None,
            kubeconfig=kubeconfig,
            context=context,
            stop=stop,
            cluster=cluster,
            grace=grace,
            health=health,
            metrics=metrics,
        )


@asynccontextmanager
async def _answering(
    option: str, serve: Callable[[str | None, int], AbstractAsyncContextManager[int]], address: tuple[str | None, int] | None
) -> AsyncIterator[None]:
    async with AsyncExitStack() as stack:
        if address is not None:
            try:
                await stack.enter_async_context(serve(*address))
            except OSError as error:
                raise Fail(f"port {address[1]} can't be listened on: {error.strerror}; give {option} another address") from None
        yield


def _form(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    return "text" if sys.stderr.isatty() else "json"


def _end_with_parent() -> None:
    """As killed, when the parent is gone: what runs is then gone with its transaction, and the next start goes on from the cursor."""

    def wait() -> None:
        while os.read(0, 4096):
            pass
        os._exit(1)

    threading.Thread(target=wait, name="parent", daemon=True).start()
