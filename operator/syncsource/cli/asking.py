"""Before rows are changed because somebody asked for it: the plan is shown, and asked about."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from syncsource.cli.main import Unusable


def ask(plan: str, question: str) -> None:
    """Ends the program where nobody agrees, or can."""
    click.echo(plan, err=True)
    if not sys.stdin.isatty():
        raise Unusable("nobody can be asked here: add --yes to do it, or --plan to look only")
    click.confirm(question, abort=True, err=True)


def numbered(head: str, lines: Sequence[tuple[int, str]], nothing: str) -> str:
    """What would be done to how many rows, a line each; ``nothing`` where it is to none."""
    told = [f"  {count:>12,}  {words}" for count, words in lines if count]
    return "\n".join([head, *told]) if told else f"{head} {nothing}"
