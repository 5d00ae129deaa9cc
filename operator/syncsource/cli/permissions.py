"""What an operator lets its sources do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


def permissions(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options for ``files``, ``backups`` and ``link_local``: what no source may do unless whoever starts the operator says so."""
    command = click.option(
        "--allow-link-local", "link_local", is_flag=True, help="Let sources ask hosts at link-local and cloud metadata addresses, too."
    )(command)
    command = click.option(
        "--backups",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        metavar="FOLDER",
        help="Below which safety.backup.directory may be; without it, backups in files are refused.",
    )(command)
    return click.option(
        "--files",
        type=click.Path(exists=True, file_okay=False, resolve_path=True),
        metavar="FOLDER",
        help="Where source.csv may read files; without it, nowhere.",
    )(command)
