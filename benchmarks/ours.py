"""``syncsource run`` in a process that has the modules of its source and its database already, as a worker has them that ran before, and as the others here
have theirs when their clocks begin. ``python -m benchmarks.ours SOURCE DATABASE ARGUMENT…``, the rooms' names first."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

from syncsource.cli.main import main


def command(source: str, database: str, manifest: Path, *options: str) -> list[str]:
    """Its command line. ``source``: ``rest`` or ``csvfiles``; ``database``: a URL."""
    return [sys.executable, "-m", "benchmarks.ours", source, database.partition(":")[0], "run", *options, "-o", "json", "-f", str(manifest)]


if __name__ == "__main__":
    source, database = sys.argv[1:3]
    import_module(f"syncsource.sources.{source}.source")
    import_module(f"syncsource.destinations.{database}")
    main(sys.argv[3:], prog_name="syncsource")
