"""Options that say which control plane and which SyncSources a command means."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from syncsource.cli.main import Fail, Unusable
from syncsource.client.api import Api, ApiFailed
from syncsource.client.requests import names


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Adds --kubeconfig, --context and --namespace; the command gets ``api``. What the API refuses ends in an error message."""

    @connectable
    @wraps(command)
    def with_api(connect: Callable[[], Api], **options: Any) -> None:
        command(api=connect(), **options)

    return with_api


def connectable(command: Callable[..., None]) -> Callable[..., None]:
    """The same for a command that may need no API: it gets ``connect``, which connects to it."""

    @click.option("--kubeconfig", help="As kubectl's; where none is given or set, .syncsource/kubeconfig is used if it is there.")
    @click.option("--context", help="Context of the kubeconfig.")
    @click.option("-n", "--namespace", help="Namespace; the context's by default.")
    @wraps(command)
    def with_connect(kubeconfig: str | None, context: str | None, namespace: str | None, **options: Any) -> None:
        try:
            command(connect=lambda: Api.connect(kubeconfig, context, namespace), **options)
        except ApiFailed as error:
            raise Fail(error.message) from None

    return with_connect


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Adds NAME…, -l and --all; the command gets ``chosen``, a function from the API to names."""

    @click.argument("name", nargs=-1, shell_complete=known_names)
    @click.option("-l", "--selector", help="Label selector that chooses SyncSources.")
    @click.option("--all", "everything", is_flag=True, help="All SyncSources of the namespace.")
    @wraps(command)
    def with_choice(name: tuple[str, ...], selector: str | None, everything: bool, **options: Any) -> None:
        if [bool(name), selector is not None, everything].count(True) != 1:
            raise Unusable("say which SyncSources: their names, -l SELECTOR, or --all")
        command(chosen=lambda api: _existing(api, name, selector), **options)

    return with_choice


def known_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """How a name may go on, for shells: SyncSources of the control plane that the command line means, none where it can't be asked."""
    kubeconfig, named, namespace = (context.params.get(option) for option in ("kubeconfig", "context", "namespace"))
    try:
        found = names(Api.connect(kubeconfig, named, namespace), None)
    except ApiFailed:
        return []
    return [name for name in found if name.startswith(incomplete)]


def _existing(api: Api, given: tuple[str, ...], selector: str | None) -> list[str]:
    if given:
        return list(given)
    found = names(api, selector)
    if not found:
        raise Fail(f"no SyncSources in namespace {api.namespace}" + (f" match {selector}" if selector else ""))
    return found
