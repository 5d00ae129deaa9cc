"""Commands that work here, on files, or there, by the operator of a control plane: with -f FILE, or without."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

import click

from syncsource.cli.main import Fail, Unusable
from syncsource.cli.output import emit
from syncsource.cli.planning import FILE_OPTIONS, from_files, names_in_files, plan_of
from syncsource.engine.plan import RunPlan
from syncsource.errors import SyncError
from syncsource.resource.runstatus import SyncRunStatus
from syncsource.resource.types import parse_duration

if TYPE_CHECKING:  # with -f nothing of Kubernetes is imported, which takes a while
    from syncsource.client.api import Api

_CLUSTER_OPTIONS = ("kubeconfig", "context", "namespace", "timeout")


@dataclass(frozen=True, slots=True)
class Where:
    """Which SyncSource a command means, and who does it."""

    files: tuple[str, ...]
    name: str | None
    env_file: str | None
    cluster: dict[str, str | None]
    """kubeconfig, context and namespace, as far as they were given."""
    timeout: float

    @property
    def is_here(self) -> bool:
        """Whether this process does it, without a control plane."""
        return bool(self.files)

    @property
    def source(self) -> str:
        """The SyncSource of the control plane."""
        assert self.name is not None
        return self.name

    def plan(self, *, incomplete: bool = False) -> RunPlan:
        """See :func:`plan_of`."""
        return plan_of(self.files, self.name, self.env_file, incomplete=incomplete)

    def connect(self) -> Api:
        """The control plane. Raises ApiFailed."""
        from syncsource.client.api import Api

        return Api.connect(**self.cluster)

    def ask(self, action: str, **parameters: Any) -> Done:
        """A SyncRun, once it is over. Exits with 1 where it is not in time."""
        from syncsource.client import actions

        api = self.connect()
        run = actions.ask(api, self.source, action, parameters)
        try:
            status = actions.wait_for(api, run, self.timeout, _shower(self.source, run))
        except KeyboardInterrupt:
            click.echo(f"SyncRun {run} goes on; `kubectl delete syncrun {run}` calls it off", err=True)
            raise
        if status is None:
            told = f"no outcome of SyncRun {run} within {self.timeout:g} s; is an operator running? It stands: delete it to call it off"
            raise Fail(f"{self.source}: {told}")
        return Done(self.source, run, status)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a SyncRun."""

    source: str
    run: str
    status: SyncRunStatus

    @property
    def good(self) -> bool:
        """Whether it succeeded."""
        return self.status.phase == "Succeeded"

    @property
    def line(self) -> str:
        """The same for people."""
        if not self.good:
            return f"{self.source}: Failed: {self.status.reason}: {self.status.message}"
        return f"{self.source}: Succeeded in {self.status.duration}: {self.status.message}"

    def emit(self, output: str, *more: str) -> None:
        """Print it; tables go on with ``more``."""
        told = {"source": self.source, "syncRun": self.run, **self.status.model_dump(mode="json", by_alias=True, exclude_none=True)}
        told.pop("conditions")
        emit(told, output, lambda: "\n".join([self.line, *more]))

    def checked(self) -> Done:
        """It, where it succeeded. Exits with 1 otherwise."""
        if not self.good:
            raise Fail(f"{self.status.reason}: {self.status.message}")
        return self


def here_or_there(command: Callable[..., None]) -> Callable[..., None]:
    """Adds NAME, the options of files and those of control planes; the command gets ``where``. What would be ignored is refused."""

    @click.argument("source", metavar="NAME", required=False, shell_complete=_names)
    @partial(from_files, required=False)
    @click.option("--timeout", default="10m", show_default=True, callback=_seconds, help="How long to wait for the operator's outcome.")
    @click.option("--kubeconfig", help="As kubectl's; where none is given or set, .syncsource/kubeconfig is used if it is there.")
    @click.option("--context", help="Context of the kubeconfig.")
    @click.option("-n", "--namespace", help="Namespace; the context's by default.")
    @wraps(command)
    def with_where(
        source: str | None,
        files: tuple[str, ...],
        name: str | None,
        env_file: str | None,
        timeout: float,
        kubeconfig: str | None,
        context: str | None,
        namespace: str | None,
        **options: Any,
    ) -> None:
        """The command, told where."""
        _refuse(*(_CLUSTER_OPTIONS if files else FILE_OPTIONS), why="not for -f: that needs no control plane" if files else "for -f only")
        if not files and source is None:
            raise Unusable("say which SyncSource: NAME of the control plane, or -f FILE")
        cluster = {"kubeconfig": kubeconfig, "context": context, "namespace": namespace}
        try:
            command(where=Where(files, source or name, env_file, cluster, timeout), **options)
        except SyncError as error:
            raise Fail(error.message if error.reason == "ApiFailed" else f"{error.reason}: {error.message}") from None

    return with_where


def chosen(ids: Sequence[str]) -> dict[str, Any]:
    """The parameters of a SyncRun that say which records or conflicts; ``all``: each of them."""
    return {"all": True} if "all" in ids else {"ids": list(dict.fromkeys(ids))}


def only_here(where: Where, *options: str) -> None:
    """Exits with 2 where one of these options was given without -f."""
    if not where.is_here:
        _refuse(*options, why="for -f only")


def _refuse(*options: str, why: str) -> None:
    context = click.get_current_context()
    names = {parameter.name: parameter.opts[-1] for parameter in context.command.params}
    for option in options:
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise Unusable(f"{names.get(option, option)} is {why}")


def _names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    if context.params.get("files"):
        return names_in_files(context, parameter, incomplete)
    from syncsource.cli.connection import known_names

    return known_names(context, parameter, incomplete)


def _seconds(_: Any, __: Any, text: str) -> float:
    try:
        return float(parse_duration(text).total_seconds())
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _shower(source: str, run: str) -> Callable[[SyncRunStatus], None]:
    """Tells on a terminal how it goes."""
    if not sys.stderr.isatty():
        return lambda status: None
    said = ""

    def show(status: SyncRunStatus) -> None:
        nonlocal said
        text = f"{source}: SyncRun {run}: {status.phase or 'requested'}" + (f": {status.message}" if status.phase == "Pending" else "")
        if text != said and not status.is_over:
            click.echo(text, err=True)
            said = text

    return show
