"""``syncsource``, and ``kubectl syncsource``: the same program."""

from __future__ import annotations

import gc
import importlib
import io
import keyword
import logging
import sys
from typing import IO, Any

import click

from syncsource import __version__
from syncsource.errors import without_control

COMMANDS = {
    "up": ("syncsource.cli.up", "Embedded control plane and operator on this machine."),
    "operator": ("syncsource.cli.operate", "The operator against the current kubeconfig."),
    "run": ("syncsource.cli.run", "One SyncSource, here and now, without Kubernetes."),
    "preview": ("syncsource.cli.preview", "The first records, and what a run would do with each."),
    "test": ("syncsource.cli.test", "Source and destination step by step, without writing."),
    "import": ("syncsource.cli.importing", "Hand files to a SyncSource with source.csv and run it, without Kubernetes."),
    "validate": ("syncsource.cli.validate", "Manifests against the schema and every rule, offline."),
    "sync": ("syncsource.cli.requests", "Request a run and wait for its outcome."),
    "suspend": ("syncsource.cli.requests", "Stop scheduled and requested runs."),
    "resume": ("syncsource.cli.requests", "Undo suspend."),
    "quarantine": ("syncsource.cli.quarantine", "Records that could not be written: look, retry, discard."),
    "conflicts": ("syncsource.cli.conflicts", "Columns that both the source and people changed: look, resolve."),
    "verify": ("syncsource.cli.verify", "How accurate the copy is, cell by cell."),
    "duplicates": ("syncsource.cli.duplicates", "Rows of the table that share a key: look, keep one of each."),
    "undo": ("syncsource.cli.undo", "Take back what a run did to rows."),
    "restore": ("syncsource.cli.restore", "Make the table's rows those of a backup again."),
    "history": ("syncsource.cli.history", "The last runs."),
    "tui": ("syncsource.cli.tui", "Watch and steer SyncSources in the terminal."),
    "crds": ("syncsource.cli.crds", "Print the CustomResourceDefinitions."),
    "completion": ("syncsource.cli.completion", "Print the completion script of a shell."),
}
"""Each command's module, imported only when it is called: kubernetes and kopf take a second to import."""


class Lazy(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported."""
        if cmd_name not in COMMANDS:
            return None
        gc.disable()  # what is imported stays: to look through it, even once, takes a tenth of the time
        try:
            command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name][0]), _attribute(cmd_name))
        finally:
            gc.freeze()
            gc.enable()
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table above, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _attribute(command: str) -> str:
    return f"{command}_" if keyword.iskeyword(command) else command


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="syncsource")
@click.option("-v", "--verbose", count=True, help="More log lines on standard error; twice for all.")
def main(verbose: int) -> None:
    """Keep rows of outside systems up to date in a SQL database that people also edit."""
    _show_everything()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("syncsource").setLevel((logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)])


def _show_everything() -> None:
    """What a terminal's encoding lacks is shown as an escape, and ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Fail(click.ClickException):
    """Ends the program with ``error: message`` and exit code 1: what was asked for did not work out."""

    def show(self, file: IO[Any] | None = None) -> None:
        """On standard error."""
        click.echo(f"error: {without_control(self.message)}", file=file, err=file is None)


class Unusable(Fail):
    """The same with exit code 2: what was given can't be used."""

    exit_code = 2
