"""``syncsource tui``."""

from __future__ import annotations

import logging
import time

import click

from syncsource import __version__
from syncsource.client.api import kubeconfig_of


@click.command()
@click.option("--kubeconfig", help="As kubectl's; where none is given or set, .syncsource/kubeconfig is used if it is there.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("-n", "--namespace", "namespaces", multiple=True, help="Show the SyncSources of this namespace. Repeatable.")
@click.option(
    "-A", "--all-namespaces", is_flag=True, help="Show all namespaces. The default where they may be listed; else the context's is shown."
)
@click.option("--read-only", is_flag=True, help="Change nothing from here.")
@click.option("--ascii", "ascii_only", is_flag=True, help="No character beyond ASCII in what the program itself draws.")
def tui(
    kubeconfig: str | None, context: str | None, namespaces: tuple[str, ...], all_namespaces: bool, read_only: bool, ascii_only: bool
) -> None:
    """Watch and steer SyncSources in the terminal.

    Lower-case keys look, upper-case keys change, and each change shows its plan first. ? lists every key. With NO_COLOR set it
    does without colours. A lost connection is waited for: what was known stays on the screen.
    """
    if namespaces and all_namespaces:
        raise click.UsageError("--namespace and --all-namespaces exclude each other")
    from syncsource_tui.app import SyncSourceApp
    from syncsource_tui.core.options import Options
    from syncsource_tui.core.times import Clock
    from syncsource_tui.kube.access import Access
    from syncsource_tui.kube.session import Session

    logging.basicConfig(handlers=[logging.NullHandler()], force=True)  # a line of a library's log would lie across the screen
    clock = Clock(time.time)
    access = Access(kubeconfig_of(kubeconfig), context)
    session = Session(access, namespaces=namespaces, everywhere=all_namespaces, now=clock.now)
    SyncSourceApp(session, options=Options(__version__, read_only, ascii_only), clock=clock).run()
