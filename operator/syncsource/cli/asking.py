"""Before rows are changed because somebody asked for it: the plan is shown, and asked about."""

from __future__ import annotations

import sys

import click

from syncsource.cli.main import Unusable


def ask(plan: str, question: str) -> None:
    """Ends the program where nobody agrees, or can."""
    click.echo(plan, err=True)
    if not sys.stdin.isatty():
        raise Unusable("nobody can be asked here: add --yes to do it, or --plan to look only")
    click.confirm(question, abort=True, err=True)
