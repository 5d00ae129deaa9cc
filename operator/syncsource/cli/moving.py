"""The line that moves on a terminal while a run does."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


def moving_line() -> Progress:
    """On standard error; gone where it is left."""
    console = Console(stderr=True)
    line = (
        SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
        TextColumn("{task.description}"),
        BarColumn(pulse_style="cyan"),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
    )
    return Progress(*line, console=console, transient=True)
