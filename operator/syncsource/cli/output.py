"""What commands print: tables for people, JSON and YAML for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click
import yaml

from syncsource.errors import without_control

output_option = click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Output format."
)


def emit(value: Any, output: str, table: Callable[[], str]) -> None:
    """Print ``value`` as JSON or YAML, or what ``table`` makes of it, without what a terminal would obey."""
    if output == "json":
        click.echo(json.dumps(value, indent=2))
    elif output == "yaml":
        click.echo(yaml.safe_dump(value, sort_keys=False), nl=False)
    else:
        click.echo(without_control(table()))


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns with a heading, as kubectl prints them."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(head))]
    return "\n".join("   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
